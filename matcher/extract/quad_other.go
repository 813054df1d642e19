//go:build !amd64

package extract

func averageQuad(out *[4]float32, f []float32, p, stride int, taps []alongTap) {
	averageFour(out, f, p, stride, taps)
}

func quadratureQuad(re, im *[4]float32, f []float32, p, stride int, steps []step, taps []acrossTap) {
	quadratureFour(re, im, f, p, stride, steps, taps)
}
