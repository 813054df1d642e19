package extract

// A Report tells about the last image, whether or not it gave a template.
type Report struct {
	Quality    uint8   // 0..100
	Foreground float64 // fraction of the image that shows ridges, 0..1
	Minutiae   int
	Advice     string
}

// Report of the last Extract or End.
func (e *Extractor) Report() Report { return e.report }

func (e *Extractor) assess() Report {
	var sum float64
	for _, m := range e.found {
		sum += float64(m.quality)
	}
	q := 0.0
	if len(e.found) > 0 {
		q = 100 * sum / float64(len(e.found))
	}
	return Report{Quality: uint8(min(100, q)), Foreground: e.mask.fraction, Minutiae: len(e.found)}
}
