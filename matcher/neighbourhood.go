package matcher

import (
	"math"
	"math/bits"
)

// A neighbourhood describes what surrounds one minutia, in that minutia's own
// frame, so that it stays the same when the finger moves or turns. Around the
// minutia lies a disc of 64 cells of equal area: four rings of 4, 12, 20 and
// 28 cells. Four words of 64 bits say which cells hold a neighbour, one word
// for each quarter of relative direction. Each neighbour is spread over the
// cells within its uncertainty, so that the count of common bits falls off
// smoothly as two neighbourhoods differ.
//
// The form is the shape context (Belongie, Malik, Puzicha, "Shape matching and
// object recognition using shape contexts", PAMI 2002), extended by the
// direction of the neighbours as in Kwan, Gao, Guo, "Fingerprint matching
// using enhanced shape context", IVCNZ 2006, here with equal-area cells and
// reduced to bits.
type neighbourhood struct {
	cells [quarters]uint64
	ones  int // bits set in cells
}

const (
	reach    = 84 // radius of the disc, pixels
	rings    = 4
	quarters = 4
)

// similarity of two neighbourhoods, 0 to 1: the cosine of their bit sets.
func (a *neighbourhood) similarity(b *neighbourhood) float32 {
	common := bits.OnesCount64(a.cells[0]&b.cells[0]) + bits.OnesCount64(a.cells[1]&b.cells[1]) +
		bits.OnesCount64(a.cells[2]&b.cells[2]) + bits.OnesCount64(a.cells[3]&b.cells[3])
	return float32(common) * rootTable[a.ones&511] * rootTable[b.ones&511]
}

// rootTable[n] is 1/sqrt(n + c): the constant keeps near-empty neighbourhoods
// from being similar to anything.
var rootTable = func() (t [512]float32) {
	for n := range t {
		t[n] = float32(1 / math.Sqrt(float64(n)+10))
	}
	return t
}()

// A cell's centre in the disc, pixels.
var cellCentres = func() (c [64]vec) {
	i := 0
	for ring := range rings {
		n := 4 * (2*ring + 1)
		r := (float64(ring) + 0.5) * reach / rings
		for k := range n {
			sin, cos := math.Sincos((float64(k) + 0.5) * tau / float64(n))
			c[i] = vec{float32(r * cos), float32(r * sin)}
			i++
		}
	}
	return c
}()

// describe computes the neighbourhood of every point into local, which is as
// long as points.
func describe(local []neighbourhood, points []point) {
	clear(local)
	for i := range points {
		p := &points[i]
		turned := int(p.angle >> sineShift)
		sin, cos := sines[turned], sines[(turned+len(sines)/4)%len(sines)]
		for j := range points {
			if i != j {
				local[i].add(p, &points[j], sin, cos)
			}
		}
		for _, w := range local[i].cells {
			local[i].ones += bits.OnesCount64(w)
		}
	}
}

// add marks neighbour q of centre p, whose direction has the given sine and
// cosine. The image's y axis points down, angles run counter-clockwise.
func (a *neighbourhood) add(p, q *point, sin, cos float32) {
	dx, dy := q.x-p.x, -(q.y - p.y)
	if dx*dx+dy*dy > (reach+spread)*(reach+spread) {
		return
	}
	u, v := dx*cos+dy*sin, dy*cos-dx*sin
	near := nearCells[int((u+nearReach)/nearStep)&(nearSide-1)][int((v+nearReach)/nearStep)&(nearSide-1)]
	// Directions lie between two quarters and belong to those that are near enough.
	const quarter, within = storedTurn / quarters, storedTurn * directionSpread / 360
	turned := q.angle - p.angle
	below, past := turned/quarter, turned%quarter
	if past <= within {
		a.cells[below] |= near
	}
	if past >= quarter-within {
		a.cells[(below+1)%quarters] |= near
	}
}

const (
	spread          = 16 // pixels: how far a neighbour may stray
	directionSpread = 60 // degrees; at 45 every direction falls into one quarter

	nearStep  = 2                              // pixels between the entries of nearCells
	nearSide  = 128                            // entries across, a power of two
	nearReach = float32(nearSide*nearStep) / 2 // at least reach + spread
)

// nearCells holds, for neighbours every nearStep pixels, the set of cells
// whose centre lies within spread.
var nearCells = func() (sets [nearSide][nearSide]uint64) {
	for a := range sets {
		for b := range sets[a] {
			u, v := (float32(a)+0.5)*nearStep-nearReach, (float32(b)+0.5)*nearStep-nearReach
			for i, c := range cellCentres {
				if (u-c.x)*(u-c.x)+(v-c.y)*(v-c.y) <= spread*spread {
					sets[a][b] |= 1 << i
				}
			}
		}
	}
	return sets
}()

const sineShift = 4

// sines holds the sine of every 16th turn value.
var sines = func() (s [storedTurn >> sineShift]float32) {
	for i := range s {
		s[i] = float32(math.Sin(float64(i) * tau / float64(len(s))))
	}
	return s
}()
