package matcher

import "github.com/tillprint/tillprint/locked"

// The ridges of a template are a third witness: whether places on a grid lie on
// a ridge or in a valley. Where minutiae are few, as on a small glass, ridges
// are still many. Under the movement that the minutiae suggest, bent as they
// suggest, ridges of one finger fall on ridges; those of strangers do so for
// half of the places. That images say more than minutiae where little of a
// finger is seen is Bazen, Verwaaijen, Gerez, Veelenturf, van der Zwaag, "A
// correlation-based fingerprint verification system", ProRISC 2000; that both
// should be weighed together is Ross, Jain, Reisman, "A hybrid fingerprint
// matcher", Pattern Recognition 2003.
//
// A probe is looked at in a fine sketch, a reference in eight places a cell
// of the flow: those lie nine pixels apart, as far as ridges do, so that what
// is kept of a finger makes no picture of it.
const (
	// SketchStep is the distance in pixels at PPI between the places of a
	// sketch: a third of a ridge. sketchSide of them lie along a cell's side.
	SketchStep = 3
	sketchSide = FlowCell / SketchStep
)

// SketchPlace is the middle of place i, 0 to 63, of a sketch's word, in pixels
// from the top left corner of its cell.
func SketchPlace(i int) (x, y float64) {
	return (float64(i%sketchSide) + 0.5) * SketchStep, (float64(i/sketchSide) + 0.5) * SketchStep
}

// ridgePlaces are the eight places of a sketch's word that Ridges keeps, every
// second row and every fourth column, in turn.
var ridgePlaces = [8]int{9, 13, 27, 31, 41, 45, 59, 63}

// RidgesOf is what Template.Ridges keeps of one word of a sketch.
func RidgesOf(word uint64) (kept uint8) {
	for bit, place := range ridgePlaces {
		kept |= uint8(word>>place&1) << bit
	}
	return kept
}

// ridgesFault names what is wrong with t's ridges or sketch, or nothing.
func (t *Template) ridgesFault() string {
	if len(t.Ridges) != 0 && len(t.Ridges) != len(t.Flow) || len(t.Sketch) != 0 && len(t.Sketch) != len(t.Ridges) {
		return "ridges of other cells than the flow's"
	}
	for i, r := range t.Ridges {
		if r != 0 && t.Flow[i] == 0 {
			return "ridges where the flow shows none"
		}
	}
	for i, word := range t.Sketch {
		if RidgesOf(word) != t.Ridges[i] || word != 0 && t.Flow[i] == 0 {
			return "a sketch of other ridges"
		}
	}
	return ""
}

// takeRidges copies t's ridges and spreads its sketch out, reusing p's memory.
// p's flow is taken already.
func (p *Prepared) takeRidges(t *Template) {
	p.ridges = append(p.ridges[:0], t.Ridges...)
	p.sketch = locked.Resize(p.sketch, len(t.Sketch)*sketchSide*sketchSide)
	clear(p.sketch)
	stride := p.flow.columns * sketchSide
	for cell, word := range t.Sketch {
		if t.Flow[cell] == 0 {
			continue
		}
		corner := cell/p.flow.columns*sketchSide*stride + cell%p.flow.columns*sketchSide
		for place := range 64 {
			p.sketch[corner+place/sketchSide*stride+place%sketchSide] = int8(word>>place&1)*2 - 1
		}
	}
}

// ridge is 1 if the sketch has a ridge at a place in its units, -1 if a valley,
// and 0 where it shows nothing.
func (p *Prepared) ridge(x, y int32) int8 {
	column, row := uint32(x)/sketchUnit, uint32(y)/sketchUnit
	if column >= uint32(p.flow.columns*sketchSide) || row >= uint32(p.flow.rows*sketchSide) {
		return 0
	}
	return p.sketch[row*uint32(p.flow.columns*sketchSide)+column]
}

// inSketch turns pixels into units of the sketch, many to one of its steps.
func (p *Prepared) inSketch(v float32) int32 {
	return int32(v * (sketchUnit * sketchSide) / p.flow.side)
}

const sketchUnit = 1 << 16
