package matcher

import (
	"math"
	"math/bits"
)

// A ring describes the ridge flow around one minutia: how ridges run at points
// on three circles, against the minutia's own direction, so that it stays the
// same when the finger moves or turns (Tico and Kuosmanen, PAMI 2003). A point
// is eight bits, one a range of directions, of which the nearest two are set.
type ring struct {
	bits  [ringPoints / 8]uint64
	known uint32 // points where ridges are seen
}

const (
	ringPoints = 32
	ringStep   = 24 // pixels between the circles
	ringFewest = 6  // points known on both sides, for saying anything
)

// ringCircles are the points on each circle, from the innermost.
var ringCircles = [...]int{6, 10, 16}

// ringPlaces are the points' places about a minutia, for 64 directions of it.
var ringPlaces = func() (places [64][ringPoints]vec) {
	for d := range places {
		k := 0
		for circle, n := range ringCircles {
			for i := range n {
				sin, cos := math.Sincos(tau * (float64(i)/float64(n) + float64(d)/float64(len(places))))
				r := float64(circle+1) * ringStep
				places[d][k] = vec{float32(r * cos), float32(-r * sin)}
				k++
			}
		}
	}
	return places
}()

// ringOf describes the flow around p.
func ringOf(f *flow, p *point) (r ring) {
	if len(f.cells) == 0 {
		return r
	}
	for k, at := range ringPlaces[(p.angle+1<<9)>>10] {
		v := f.at(p.x+at.x, p.y+at.y)
		if v == 0 {
			continue
		}
		// Eight ranges of half a turn; the fraction tells the nearer neighbour.
		against := (flowTurns[v&15] - p.angle) << 1
		low := (against - 1<<12) >> 13
		r.bits[k/8] |= (1<<low | 1<<((low+1)&7)) << (k % 8 * 8)
		r.known |= 1 << k
	}
	return r
}

// agreement of two rings: the share of their common points' bits that agree, or
// ringUnknown.
func (a *ring) agreement(b *ring) float32 {
	both := bits.OnesCount32(a.known & b.known)
	if both < ringFewest {
		return ringUnknown
	}
	common := bits.OnesCount64(a.bits[0]&b.bits[0]) + bits.OnesCount64(a.bits[1]&b.bits[1]) +
		bits.OnesCount64(a.bits[2]&b.bits[2]) + bits.OnesCount64(a.bits[3]&b.bits[3])
	return float32(common) / float32(2*both)
}

// ringUnknown is between what mates and strangers have.
const ringUnknown = 0.65
