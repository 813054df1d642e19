package extract

import (
	"math"

	"github.com/tillprint/tillprint/locked"
)

const (
	// border surrounds the raster with zeros, so that no filter needs to ask
	// where the image ends. It is wider than half the longest filter.
	border = 24

	// window is half the side of the square over which contrast is levelled:
	// a good two ridges across in all.
	window = 10

	// flatness is added to the local deviation, in grey levels, so that an empty
	// background is not blown up into a pattern.
	flatness = 8

	// brightest bounds a levelled pixel, in local deviations.
	brightest = 2.5
)

// A raster is the image with its contrast levelled: every pixel as its distance
// from the mean of its surroundings in units of their deviation. Rows become
// ready while later ones arrive.
type raster struct {
	width, height int
	stride        int
	level         []float32 // (height+2·border) × stride, zero around the image
	deviation     []float32 // grey levels, width × height
	ready         int       // rows levelled
	received      int       // rows received
	top, bottom   int       // rows [top, bottom) are in the sums
	sum, square   []int32   // over the window's rows, by column
	kept          []int32   // both, while rows are levelled ahead
}

func (r *raster) begin(width, height int) {
	r.width, r.height = width, height
	r.stride = width + 2*border
	r.level = locked.Resize(r.level, (height+2*border)*r.stride)
	clear(r.level)
	r.deviation = locked.Resize(r.deviation, width*height)
	r.ready, r.received, r.top, r.bottom = 0, 0, 0, 0
	r.sum = locked.Resize(r.sum, width)
	r.square = locked.Resize(r.square, width)
	clear(r.sum)
	clear(r.square)
}

func (r *raster) clear() {
	clear(r.level[:cap(r.level)])
	clear(r.deviation[:cap(r.deviation)])
	clear(r.sum[:cap(r.sum)])
	clear(r.square[:cap(r.square)])
	clear(r.kept[:cap(r.kept)])
}

// at is the index in level of pixel (x, y).
func (r *raster) at(x, y int) int {
	return (y+border)*r.stride + x + border
}

// push takes all rows so far and levels those whose window is complete.
func (r *raster) push(pixels []uint8) {
	r.received = len(pixels) / r.width
	for r.ready+window < r.received {
		r.levelRow(pixels)
	}
}

// finish levels the rows that are left: no more will come.
func (r *raster) finish(pixels []uint8) {
	r.received = len(pixels) / r.width
	r.height = r.received
	for r.ready < r.received {
		r.levelRow(pixels)
	}
}

// ahead levels the rows whose window is not complete as if the image ended with
// the last one received, and makes that its height. What it did is undone by the
// levelling that follows, but for the height.
func (r *raster) ahead(pixels []uint8) {
	ready, top, bottom := r.ready, r.top, r.bottom
	r.kept = locked.Append(locked.Append(r.kept[:0], r.sum...), r.square...)
	r.finish(pixels)
	r.ready, r.top, r.bottom = ready, top, bottom
	copy(r.sum, r.kept)
	copy(r.square, r.kept[r.width:])
}

// levelRow levels the next row over the rows that exist within its window.
func (r *raster) levelRow(pixels []uint8) {
	y, w := r.ready, r.width
	for ; r.bottom < min(y+window+1, r.received); r.bottom++ {
		for x, v := range pixels[r.bottom*w : (r.bottom+1)*w] {
			r.sum[x] += int32(v)
			r.square[x] += int32(v) * int32(v)
		}
	}
	for ; r.top < y-window; r.top++ {
		for x, v := range pixels[r.top*w : (r.top+1)*w] {
			r.sum[x] -= int32(v)
			r.square[x] -= int32(v) * int32(v)
		}
	}
	row := pixels[y*w : (y+1)*w]
	out := r.level[r.at(0, y):][:w]
	deviation := r.deviation[y*w:][:w]
	var sum, square, columns int32
	for x := range min(window, w) {
		sum, square, columns = sum+r.sum[x], square+r.square[x], columns+1
	}
	rows := int32(r.bottom - r.top)
	for x, v := range row {
		if in := x + window; in < w {
			sum, square, columns = sum+r.sum[in], square+r.square[in], columns+1
		}
		if gone := x - window - 1; gone >= 0 {
			sum, square, columns = sum-r.sum[gone], square-r.square[gone], columns-1
		}
		scale := 1 / float32(columns*rows)
		mean := float32(sum) * scale
		d := float32(math.Sqrt(float64(max(0, float32(square)*scale-mean*mean))))
		deviation[x] = d
		out[x] = max(-brightest, min(brightest, (float32(v)-mean)/(d+flatness)))
	}
	r.ready++
}
