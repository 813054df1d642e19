package extract

// averageQuad is averageFour in SSE, which every amd64 processor has. Both do the
// same operations in the same order and so give the same bits. It does not check
// that f has the pixels that the taps reach: the border around the raster is wider
// than the longest filter.
//
//go:noescape
func averageQuad(out *[4]float32, f []float32, p, stride int, taps []alongTap)

// quadratureQuad is quadratureFour in SSE, likewise.
//
//go:noescape
func quadratureQuad(re, im *[4]float32, f []float32, p, stride int, steps []step, taps []acrossTap)
