package matcher

import (
	"cmp"
	"math"
	"slices"
)

// An Explanation says what a score was made of, for people to look at. It is
// as personal as the templates: Clear it when it has been shown.
type Explanation struct {
	Score float64 // as Score gives it

	// The movement that takes the probe onto the reference: turned, scaled,
	// then shifted; see Move. Scale is below 1 where the finger has grown since
	// the reference was taken.
	Turned float64 // radians, counter-clockwise as seen, in (−π, π]
	Scale  float64
	DX, DY float64 // pixels at PPI, right and down

	Mates []Mate // the minutiae taken for the same, closest first
}

// A Mate is a minutia of the probe with the reference's that was taken for the
// same one.
type Mate struct {
	Probe, Reference Minutia
	Similarity       float64 // of their neighbourhoods, 0 to 1
	Off              float64 // pixels between them after moving and bending
}

// Explain compares as Score does and tells what was paired under which
// movement. Without any pairs it is the zero Explanation but for Scale 1.
func Explain(probe, reference *Prepared) Explanation {
	s := takeScratch()
	defer s.giveBack()
	e := Explanation{Scale: 1}
	score, sized := s.scoreGrown(probe, reference)
	e.Score = score
	s.columns.fill(sized.points)
	if e.Score == 0 || !s.match(probe, sized, &s.movement) {
		return e
	}
	by := 1.0 // the reference's own pixels are smaller by so much
	if sized == reference.grown {
		by = mostPupilsGrow
	}
	m := &s.movement
	e.Turned = math.Atan2(float64(m.sin), float64(m.cos))
	e.Scale = m.scale() / by
	e.DX, e.DY = float64(m.dx)/by, float64(m.dy)/by
	for i := range s.mates {
		k := &s.mates[i]
		there := sized.points[k.r].minutia()
		there.X, there.Y = there.X/float32(by), there.Y/float32(by)
		e.Mates = append(e.Mates, Mate{
			Probe: probe.points[k.p].minutia(), Reference: there,
			Similarity: float64(k.sim), Off: math.Sqrt(float64(k.miss2)) / by,
		})
	}
	slices.SortStableFunc(e.Mates, func(a, b Mate) int { return cmp.Compare(a.Off, b.Off) })
	return e
}

// Move takes a place on the probe to the reference, both in pixels at PPI,
// without the local bending of the skin.
func (e *Explanation) Move(x, y float64) (float64, float64) {
	sin, cos := math.Sincos(e.Turned)
	sin, cos = sin*e.Scale, cos*e.Scale
	return cos*x + sin*y + e.DX, cos*y - sin*x + e.DY
}

// Clear overwrites the minutiae and empties the explanation.
func (e *Explanation) Clear() {
	clear(e.Mates[:cap(e.Mates)])
	*e = Explanation{}
}

func (p *point) minutia() Minutia {
	angle := float32(p.angle.radians())
	return Minutia{X: p.x, Y: p.y, Angle: angle, Kind: p.kind, Quality: p.quality}
}
