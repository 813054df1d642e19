package extract

import (
	"math"
	"sync"
)

const (
	// directions is how many angles in [0, π) filters are made for.
	directions = 64

	// alongDeviation and alongReach are the Gaussian along the ridge and where
	// it is cut, in pixels.
	alongDeviation = 4.5
	alongReach     = 10

	// periods is how many ridge periods filters are made for, geometrically from
	// shortest to longest, in pixels at 500 ppi (0.25 to 0.8 mm).
	periods      = 8
	shortest     = 5.0
	longest      = 16.0
	acrossSpread = 0.45 // deviation of the Gaussian across, in periods
	acrossReach  = 14   // pixels at most
	acrossCut    = 2.2  // deviations at which it is cut
	longestHalf  = acrossReach + 1
)

// A step is one sampling point of a straight line through a pixel, one unit of
// the longer axis further than the one before: between the pixels at offsets
// near and far (and, on the other side, at -near and -far), the second of which
// counts share.
type step struct {
	near, far int32
	share     float32
}

// An alongTap is a step of the Gaussian along a ridge: where, and what the pixels
// near and far weigh.
type alongTap struct {
	near, far             int32
	nearWeight, farWeight float32
}

// An acrossTap is what a step across the ridges weighs.
type acrossTap struct{ even, odd float32 }

// lines are the sampling points along each direction for a raster of one stride.
type lines struct {
	stride int
	steps  [directions][longestHalf]step
	along  [directions][]alongTap // middle first
}

// quadrature holds the weights of the complex filter across, by direction and
// period; middle first.
type quadrature [directions][periods][]acrossTap

var (
	acrossBank = sync.OnceValue(makeQuadrature)
	ridgeUnit  = makeUnits()
)

// makeUnits tabulates the unit vector of each direction.
func makeUnits() (u [directions][2]float32) {
	for d := range u {
		sin, cos := math.Sincos(math.Pi * float64(d) / directions)
		u[d] = [2]float32{float32(cos), float32(sin)}
	}
	return u
}

// spacing is the distance in pixels between the steps of a line.
func spacing(direction int) float64 {
	u := ridgeUnit[direction]
	return 1 / max(math.Abs(float64(u[0])), math.Abs(float64(u[1])))
}

// normal is the direction across the ridges of direction d: a quarter turn on.
// Its line points to +π/2 for d < directions/2, to -π/2 otherwise.
func normal(d int) int {
	return (d + directions/2) % directions
}

// periodOf is the period in pixels of index i.
func periodOf(i int) float64 {
	return shortest * math.Pow(longest/shortest, float64(i)/(periods-1))
}

// prepare makes the tables for rasters of the given stride.
func (l *lines) prepare(stride int) {
	if l.stride == stride {
		return
	}
	l.stride = stride
	for d := range directions {
		u, s := ridgeUnit[d], spacing(d)
		for k := range l.steps[d] {
			x, y := float64(k)*s*float64(u[0]), float64(k)*s*float64(u[1])
			l.steps[d][k] = between(x, y, stride)
		}
		n := int(alongReach / s)
		l.along[d] = make([]alongTap, n+1)
		for k, v := range bell(n, s/alongDeviation) {
			at, weight := l.steps[d][k], float32(v)
			far := weight * at.share
			l.along[d][k] = alongTap{at.near, at.far, weight - far, far}
		}
	}
}

// between places a sampling point that lies on an integer of its longer axis.
func between(x, y float64, stride int) step {
	near := int(math.Floor(y+1e-9))*stride + int(math.Floor(x+1e-9))
	if fx := x - math.Floor(x+1e-9); fx > 1e-6 {
		return step{int32(near), int32(near + 1), float32(fx)}
	}
	fy := y - math.Floor(y+1e-9)
	return step{int32(near), int32(near + stride), float32(fy)}
}

// bell samples a Gaussian at 0, width, 2·width … n·width deviations, scaled so
// that the whole symmetric filter sums to one.
func bell(n int, width float64) []float64 {
	g := make([]float64, n+1)
	sum := 0.0
	for k := range g {
		g[k] = math.Exp(-float64(k*k) * width * width / 2)
		sum += 2 * g[k]
	}
	sum -= g[0]
	for k := range g {
		g[k] /= sum
	}
	return g
}

// makeQuadrature makes the complex band-pass filters across the ridges. The even
// part has no response to a constant, and a unit cosine of the filter's own
// period answers with amplitude one.
func makeQuadrature() *quadrature {
	q := new(quadrature)
	for d := range directions {
		s := spacing(normal(d))
		for i := range periods {
			deviation := acrossSpread * periodOf(i)
			n := int(min(acrossReach, acrossCut*deviation) / s)
			g := bell(n, s/deviation)
			turn := 2 * math.Pi * s / periodOf(i)
			constant := g[0]
			for k := 1; k <= n; k++ {
				constant += 2 * g[k] * math.Cos(turn*float64(k))
			}
			side := 1.0
			if d >= directions/2 {
				side = -1 // the normal's line runs the other way
			}
			q[d][i] = make([]acrossTap, n+1)
			for k := range g {
				q[d][i][k] = acrossTap{
					even: float32(2 * g[k] * (math.Cos(turn*float64(k)) - constant)),
					odd:  float32(side * 2 * g[k] * math.Sin(turn*float64(k))),
				}
			}
		}
	}
	return q
}
