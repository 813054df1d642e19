package extract

import "math"

// A kernel is one half of a symmetric smoothing filter, its middle first.
type kernel []float32

var (
	gaussReach    = gaussian(reach)
	gaussStrength = gaussian(1.5)
	gaussRefine   = gaussian(2)
	gaussPeriod   = gaussian(2.5)
	gaussMask     = gaussian(3)
)

// gaussian returns the kernel of the given deviation, in cells, of unit sum.
func gaussian(deviation float64) kernel {
	k := make(kernel, int(math.Ceil(2.5*deviation))+1)
	sum := 0.0
	for i := range k {
		v := math.Exp(-float64(i*i) / (2 * deviation * deviation))
		k[i] = float32(v)
		sum += 2 * v
	}
	sum -= 1
	for i := range k {
		k[i] /= float32(sum)
	}
	return k
}

// smooth filters a field of the given number of columns in place, both ways;
// beyond its edge the field counts as zero. scratch is as long as the field.
func smooth(field, scratch []float32, columns int, k kernel) {
	rows := len(field) / columns
	for y := range rows {
		row := field[y*columns : (y+1)*columns]
		out := scratch[y*columns : (y+1)*columns]
		weigh(out, row, k[0])
		for d := 1; d < min(len(k), columns); d++ {
			accumulate(out[d:], row, k[d])
			accumulate(out[:columns-d], row[d:], k[d])
		}
	}
	for y := range rows {
		out := field[y*columns : (y+1)*columns]
		weigh(out, scratch[y*columns:], k[0])
		for d := 1; d < len(k); d++ {
			if y >= d {
				accumulate(out, scratch[(y-d)*columns:], k[d])
			}
			if y+d < rows {
				accumulate(out, scratch[(y+d)*columns:], k[d])
			}
		}
	}
}

// weigh sets out to weight times in, element by element.
func weigh(out, in []float32, weight float32) {
	in = in[:len(out)]
	for i, v := range in {
		out[i] = weight * v
	}
}

// accumulate adds weight times in to out, element by element.
func accumulate(out, in []float32, weight float32) {
	in = in[:len(out)]
	for i, v := range in {
		out[i] += weight * v
	}
}

// ranked is the element of a field without negative ones that so many are below, as
// if it were sorted: found byte by byte, from the highest.
func ranked(field []float32, rank int) float32 {
	var found uint32
	for shift := 24; shift >= 0; shift -= 8 {
		var count [256]int
		for _, v := range field {
			if bits := math.Float32bits(v) >> shift; bits>>8 == found {
				count[bits&255]++
			}
		}
		digit := 0
		for ; rank >= count[digit]; digit++ {
			rank -= count[digit]
		}
		found = found<<8 | uint32(digit)
	}
	return math.Float32frombits(found)
}

// A spot is a pixel position on a grid of cells: the four cells whose middles
// surround it and how near it is to each.
type spot struct {
	topLeft, topRight, bottomLeft, bottomRight int
	right, down                                float32 // 0..1
}

// locateOn finds pixel position (x, y) on a grid; beyond its outermost cells'
// middles it counts as on them.
func locateOn(columns, rows int, x, y float32) spot {
	gx := max(0, min(float32(columns-1), (x-(cell-1)/2.0)/cell))
	gy := max(0, min(float32(rows-1), (y-(cell-1)/2.0)/cell))
	x0, y0 := int(gx), int(gy)
	x1, y1 := min(x0+1, columns-1), min(y0+1, rows-1)
	return spot{
		y0*columns + x0, y0*columns + x1, y1*columns + x0, y1*columns + x1,
		gx - float32(x0), gy - float32(y0),
	}
}

// of interpolates a field at the spot.
func (s spot) of(field []float32) float32 {
	top := field[s.topLeft]*(1-s.right) + field[s.topRight]*s.right
	bottom := field[s.bottomLeft]*(1-s.right) + field[s.bottomRight]*s.right
	return top*(1-s.down) + bottom*s.down
}
