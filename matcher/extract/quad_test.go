package extract

import (
	"math/rand/v2"
	"testing"
)

// The filters in the processor's vectors give the bits that those in plain Go give,
// for every direction and period.
func TestQuadsAreAsInPlainGo(t *testing.T) {
	const stride, rows = 2*border + 10, 2*border + 10
	random := rand.New(rand.NewPCG(7, 8))
	f := make([]float32, stride*rows)
	for i := range f {
		f[i] = float32(random.NormFloat64())
	}
	var l lines
	l.prepare(stride)
	bank := acrossBank()
	var got, want, im, wantIm [4]float32
	for d := range directions {
		p := (border+random.IntN(8))*stride + border + random.IntN(8)
		averageQuad(&got, f, p, stride, l.along[d])
		if averageFour(&want, f, p, stride, l.along[d]); got != want {
			t.Errorf("along direction %d: %v, in plain Go %v", d, got, want)
		}
		for i := range periods {
			steps := l.steps[normal(d)][:]
			quadratureQuad(&got, &im, f, p, stride, steps, bank[d][i])
			quadratureFour(&want, &wantIm, f, p, stride, steps, bank[d][i])
			if got != want || im != wantIm {
				t.Errorf("across direction %d, period %d: %v %v, in plain Go %v %v", d, i, got, im, want, wantIm)
			}
		}
	}
}
