package extract

import (
	"math"
	"math/rand/v2"

	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/sample"
)

// A dislocation is a minutia put into a pattern on purpose. Position is in pixels
// at 500 ppi from the pattern's centre.
type dislocation struct {
	x, y   float64
	charge float64 // +1 or -1
}

// A pattern is a plane wave of ridges with dislocations: exactly what the
// extractor's theory says a finger is, seen turned, moved and at any resolution.
type pattern struct {
	period  float64 // pixels at 500 ppi
	angle   float64 // of the ridges, clockwise from +x, radians
	phase   float64 // 0: light at the origin
	faults  []dislocation
	turn    float64 // of the whole finger about its centre, clockwise, radians
	moveX   float64 // of the whole finger, pixels at 500 ppi
	moveY   float64
	noise   float64 // deviation in grey levels
	levels  int     // grey levels the sensor tells apart; 0 for 256
	radius  float64 // of a round print, pixels at 500 ppi; 0 for everywhere
	inverse bool
}

// own turns a position at 500 ppi relative to the image's centre into the
// finger's own frame.
func (p pattern) own(x, y float64) (float64, float64) {
	sin, cos := math.Sincos(p.turn)
	x, y = x-p.moveX, y-p.moveY
	return x*cos + y*sin, y*cos - x*sin
}

// phaseAt is the wave's phase at a position in the finger's frame.
func (p pattern) phaseAt(x, y float64) float64 {
	sin, cos := math.Sincos(p.angle)
	phase := p.phase + 2*math.Pi/p.period*(y*cos-x*sin)
	for _, f := range p.faults {
		along := (x-f.x)*cos + (y-f.y)*sin
		across := (y-f.y)*cos - (x-f.x)*sin
		phase += f.charge * math.Atan2(across, along)
	}
	return phase
}

// draw renders the pattern.
func (p pattern) draw(width, height int, ppi float64) *sample.Sample {
	random := rand.New(rand.NewPCG(1, 2))
	s := &sample.Sample{Width: width, Height: height, PPI: ppi, Pix: make([]uint8, width*height)}
	for y := range height {
		for x := range width {
			px, py := p.own((float64(x)-float64(width-1)/2)*500/ppi, (float64(y)-float64(height-1)/2)*500/ppi)
			v := 240.0
			if p.radius == 0 || math.Hypot(px, py) < p.radius {
				v = 128 + 90*math.Cos(p.phaseAt(px, py)) + p.noise*random.NormFloat64()
			}
			if p.levels > 0 {
				step := 256 / float64(p.levels)
				v = math.Floor(v/step) * 255 / float64(p.levels-1)
			}
			if p.inverse {
				v = 255 - v
			}
			s.Pix[y*width+x] = uint8(max(0, min(255, v)))
		}
	}
	return s
}

// truth is the minutia of fault i as a template should hold it. Its kind is that
// of the phase beside it on the side of the extra fringe; Other if that is between.
func (p pattern) truth(i, width, height int, ppi float64) matcher.Minutia {
	f := p.faults[i]
	sin, cos := math.Sincos(p.turn)
	along := p.angle
	if f.charge < 0 {
		along += math.Pi
	}
	// One pixel towards the extra fringe; the fault's own turn is constant there.
	ds, dc := math.Sincos(along)
	kind := matcher.Other
	if c := math.Cos(p.phaseAt(f.x+dc, f.y+ds)); c > 0.5 {
		kind = matcher.Bifurcation
	} else if c < -0.5 {
		kind = matcher.Ending
	}
	return matcher.Minutia{
		X:     float32(f.x*cos - f.y*sin + p.moveX + float64(width-1)/2*500/ppi),
		Y:     float32(f.x*sin + f.y*cos + p.moveY + float64(height-1)/2*500/ppi),
		Angle: float32(math.Mod(8*math.Pi-along-p.turn, 2*math.Pi)),
		Kind:  kind,
	}
}

// nearest is the minutia of t closest to m and how far it is, in pixels and
// radians.
func nearest(t *matcher.Template, m matcher.Minutia) (found matcher.Minutia, distance, turn float64) {
	distance = math.Inf(1)
	for _, c := range t.Minutiae {
		if d := math.Hypot(float64(c.X-m.X), float64(c.Y-m.Y)); d < distance {
			found, distance = c, d
		}
	}
	turn = math.Abs(math.Remainder(float64(found.Angle-m.Angle), 2*math.Pi))
	return found, distance, turn
}
