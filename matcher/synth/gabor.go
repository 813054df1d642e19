package synth

import (
	"math"
	"sync"
)

// Ridges grow at half the resolution, where they are still four to five pixels
// from one to the next, and a quarter of the work.
const (
	growWidth   = masterWidth / 2
	growHeight  = masterHeight / 2
	reach       = 6 // pixels of the filter either side
	side        = 2*reach + 1
	angles      = 60   // filters over half a turn: every 3 degrees
	periodFirst = 3.25 // half-resolution pixels
	periodStep  = 0.25
	periods     = 13 // up to 6.25, which is 12.5 pixels at 500 ppi
	weightOne   = 1 << 10
)

// kernel is one filter, row-major.
type kernel [side * side]int32

// bank holds a filter for every orientation and period, made once.
var bank = sync.OnceValue(func() *[periods][angles]kernel {
	b := new([periods][angles]kernel)
	for p := range b {
		for a := range b[p] {
			b[p][a] = gabor(math.Pi*float64(a)/angles, periodFirst+periodStep*float64(p))
		}
	}
	return b
})

// gabor is a cosine across ridges that run at the angle (counter-clockwise, y
// down the rows), under a Gaussian that leaves three stripes of it, its mean
// taken away so that it answers nothing to flat grey. Its weights are scaled so
// that their absolute sum is weightOne.
func gabor(angle, period float64) kernel {
	sigma := 0.42 * period
	sin, cos := math.Sincos(angle)
	var wave, window [side * side]float64
	sumWave, sumWindow := 0.0, 0.0
	for i := range wave {
		x, y := float64(i%side-reach), float64(reach-i/side)
		across := y*cos - x*sin
		window[i] = math.Exp(-(x*x + y*y) / (2 * sigma * sigma))
		wave[i] = window[i] * math.Cos(2*math.Pi*across/period)
		sumWave, sumWindow = sumWave+wave[i], sumWindow+window[i]
	}
	sum := 0.0
	for i := range wave {
		wave[i] -= window[i] * sumWave / sumWindow
		sum += math.Abs(wave[i])
	}
	var k kernel
	for i := range k {
		k[i] = int32(math.Round(wave[i] / sum * weightOne))
	}
	return k
}

// apply filters around the middle of the window whose first pixel is plane[0]
// and whose rows are stride apart.
func (k *kernel) apply(plane []int32, stride int) int32 {
	var sum int32
	for y := range side {
		row := plane[y*stride:][:side]
		w := k[y*side:][:side]
		for x := range row {
			sum += row[x] * w[x]
		}
	}
	return sum
}
