package extract

import (
	"math"

	"github.com/tillprint/tillprint/locked"
)

// mostFound bounds how many zeros are kept of a hostile image.
const mostFound = 4096

// A minutia as it is found: in pixels of the raster, with the angle of this
// package (clockwise as seen) pointing to the side that has one ridge or valley
// more.
type minutia struct {
	x, y    float32
	angle   float32 // [0, 2π)
	charge  int8    // +1 or -1: the way the phase turns
	valley  bool    // the extra fringe is a valley: a bifurcation
	frame   uint8   // the direction whose normal the charge counts along
	axis    float64 // of the ridge in that frame
	fit     float32 // 0..1, how well the wave around it is that of a dislocation
	quality float32 // 0..1
}

// vortices lists the points around which the phase turns.
func (e *Extractor) vortices() {
	e.found = e.found[:0]
	w, r := &e.wave, &e.raster
	for y := range r.height - 1 {
		for _, run := range e.mask.runs(y) {
			for x := run.from; x < min(run.to, r.width-1); x++ {
				p := r.at(x, y)
				if w.sided(p, r.stride) {
					continue
				}
				charge := w.turns(p, r.stride)
				if charge == 0 || len(e.found) == mostFound || !e.mask.inside(x, y+1) {
					continue
				}
				e.found = locked.Append(e.found, e.locate(x, y, charge))
			}
		}
	}
}

// corners returns the wave at the four pixels of a square, round from p. The
// phase counts across the ridges in the direction of p's normal; where a corner's
// normal points the other way, its phase is counted backwards.
func (w *wave) corners(p, stride int) (re, im [4]float32) {
	for i, q := range [4]int{p, p + 1, p + stride + 1, p + stride} {
		re[i], im[i] = w.re[q], w.im[q]
		if opposed(w.direction[p], w.direction[q]) {
			im[i] = -im[i]
		}
	}
	return re, im
}

// opposed says that the normals of two directions are more than a quarter turn
// apart, as they are where the angle jumps from π to 0.
func opposed(a, b uint8) bool {
	d := int(a) - int(b)
	return d > directions/2 || d < -directions/2
}

// sided says that the real parts at the corners of the square at p have one sign:
// then the wave cannot circle zero. Three squares in four are done with by that.
func (w *wave) sided(p, stride int) bool {
	above, below := w.re[p:][:2], w.re[p+stride:][:2]
	first := math.Float32bits(above[0])
	differ := (first ^ math.Float32bits(above[1])) | (first ^ math.Float32bits(below[0])) | (first ^ math.Float32bits(below[1]))
	return differ>>31 == 0
}

// turns is the winding number of the wave around the square at p: how often the
// straight lines between its corners circle zero.
func (w *wave) turns(p, stride int) int8 {
	re, im := w.corners(p, stride)
	var n int8
	for i := range 4 {
		j := (i + 1) % 4
		if (im[i] > 0) == (im[j] > 0) {
			continue
		}
		side := re[i]*im[j] - re[j]*im[i]
		if im[j] > 0 && side > 0 {
			n++
		} else if im[j] <= 0 && side < 0 {
			n--
		}
	}
	return n
}

// locate finds the zero within the square at (x, y) and its direction.
func (e *Extractor) locate(x, y int, charge int8) minutia {
	p := e.raster.at(x, y)
	re, im := e.wave.corners(p, e.raster.stride)
	u, v := zero(re, im)
	m := minutia{x: float32(x) + u, y: float32(y) + v, charge: charge, frame: e.wave.direction[p]}
	m.axis = e.orientation.angle(m.x, m.y)
	if math.Cos(m.axis-float64(m.frame)*math.Pi/directions) < 0 {
		m.axis += math.Pi // the charge counts in the frame of p
	}
	m.angle = float32(math.Mod(m.axis, 2*math.Pi))
	if charge < 0 {
		m.angle = float32(math.Mod(m.axis+math.Pi, 2*math.Pi))
	}
	return m
}

// zero solves for the point of the unit square at which both bilinear surfaces
// vanish, by Newton's method from its middle.
func zero(re, im [4]float32) (u, v float32) {
	u, v = 0.5, 0.5
	for range 3 {
		a, au, av := surface(re, u, v)
		b, bu, bv := surface(im, u, v)
		det := au*bv - av*bu
		if det == 0 {
			break
		}
		u = max(0, min(1, u-(a*bv-b*av)/det))
		v = max(0, min(1, v-(b*au-a*bu)/det))
	}
	return u, v
}

// surface is the bilinear surface over corners given round the square, and its
// slopes.
func surface(c [4]float32, u, v float32) (value, slopeU, slopeV float32) {
	slopeU = (c[1]-c[0])*(1-v) + (c[2]-c[3])*v
	slopeV = (c[3]-c[0])*(1-u) + (c[2]-c[1])*u
	value = (c[0]*(1-u)+c[1]*u)*(1-v) + (c[3]*(1-u)+c[2]*u)*v
	return value, slopeU, slopeV
}

// probeRadii are the circles, in pixels, on which a minutia is judged.
var probeRadii = [...]float32{3.5, 5.5, 7.5}

// probes is the number of points on each circle.
const probes = 16

// circle holds the points of the circle of radius 1.
var circle = makeCircle()

func makeCircle() (c [probes][2]float64) {
	for i := range c {
		c[i][1], c[i][0] = math.Sincos(2 * math.Pi * float64(i) / probes)
	}
	return c
}

// judge compares the phase around a minutia with that of a clean dislocation:
// the wave's own advance across the ridges plus one turn. Their agreement is the
// fit; what phase is left over on the side of the extra fringe is its kind.
func (e *Extractor) judge(m *minutia) {
	w, r := &e.wave, &e.raster
	x0, y0 := int(m.x+0.5), int(m.y+0.5)
	sin, cos := math.Sincos(m.axis)
	number := 2 * math.Pi / periodOf(e.period.at(min(x0, r.width-1), min(y0, r.height-1)))
	var sumRe, sumIm, amplitude, count float64
	for _, radius := range probeRadii {
		for i := range probes {
			dx, dy := circle[i][0], circle[i][1]
			x, y := int(m.x+radius*float32(dx)+0.5), int(m.y+radius*float32(dy)+0.5)
			if x < 0 || y < 0 || x >= r.width || y >= r.height {
				continue
			}
			p := r.at(x, y)
			re, im := float64(w.re[p]), float64(w.im[p])
			if opposed(m.frame, w.direction[p]) {
				im = -im
			}
			count++
			size := math.Hypot(re, im)
			if size == 0 {
				continue
			}
			across := (float64(x)-float64(m.x))*-sin + (float64(y)-float64(m.y))*cos
			along := (float64(x)-float64(m.x))*cos + (float64(y)-float64(m.y))*sin
			expect := number*across + float64(m.charge)*math.Atan2(across, along)
			es, ec := math.Sincos(expect)
			sumRe += (re*ec + im*es) / size
			sumIm += (im*ec - re*es) / size
			amplitude += size
		}
	}
	if count == 0 {
		return
	}
	m.fit = float32(math.Hypot(sumRe, sumIm) / count)
	left := sumRe // cosine of the left-over phase, on the +t side
	if m.charge < 0 {
		left = -left
	}
	m.valley = left > 0
	m.quality = m.fit * float32(min(1, amplitude/count/0.6))
}
