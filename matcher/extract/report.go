package extract

import "math"

// A Report tells about the last image, whether or not it gave a template. Its
// fractions are 0..1.
type Report struct {
	Quality    uint8   // 0 (useless) to 100 of the whole sample
	Foreground float64 // of the image that shows ridges
	Minutiae   int     // found, before the cut to MaxMinutiae
	Coherence  float64 // of the ridges' direction: 1 parallel and clean, 0 disordered
	Contrast   float64 // deviation of the grey levels inside the finger, 1 = 64 levels
	Dryness    float64 // of the finger that is lighter than the middle of its range
	Wetness    float64 // of the finger that is darker
	Faintness  float64 // of its darkest ridges (5th percentile of the grey levels): 0 black, 1 white
	OffCentre  float64 // distance of the finger's centre from the image's, 1 = half a side

	Condition Advice // what the print is like, told by its fault, even where it is good enough
	Advice    Advice // what would help; Fine where it is good enough
}

// Advice is what the person at the sensor could do better, one for each fault
// that is told apart.
type Advice uint8

// The pieces of advice, from the one that matters least.
const (
	Fine        Advice = iota
	Centre             // off-centre
	PressHarder        // dry
	DryFinger          // wet
	HoldStill          // smudged
	CoverMore          // partial
	LiftFinger         // latent: what the last finger left on the glass
	PlaceFinger        // no finger
)

// advices are each advice's fault and words.
var advices = [...]struct{ fault, words string }{
	Centre:      {"off-centre", "move your finger to the middle"},
	PressHarder: {"dry", "press a little harder, or breathe on your finger"},
	DryFinger:   {"wet", "dry your finger, and press more lightly"},
	HoldStill:   {"smudged", "hold your finger still; if that does not help, wipe it and the glass"},
	CoverMore:   {"partial", "lay your finger flat, so that it covers the sensor"},
	LiftFinger:  {"latent", "lift your finger off, wipe the glass, and press again"},
	PlaceFinger: {"no finger", "place your finger on the sensor"},
}

// String is the advice in words for the person at the sensor; "" for Fine.
func (a Advice) String() string { return advices[int(a)%len(advices)].words }

// Fault names what is wrong with the sample: "dry", "wet", "smudged", "partial",
// "off-centre", "latent" or "no finger"; "" for Fine.
func (a Advice) Fault() string { return advices[int(a)%len(advices)].fault }

const (
	good       = 50        // quality from which nothing needs advice
	orderly    = 0.35      // coherence beyond which more adds no quality
	plenty     = 30        // minutiae beyond which more add no quality
	smallPrint = 120 * 200 // square pixels below which a print is partial
	smallShare = 1. / 3    // of the image; the lesser of both counts
	aside      = 0.4       // offset that is worth a word
	tooDry     = 0.62      // fraction of light pixels
	tooWet     = 0.62      // fraction of dark ones
	disturbed  = 0.32      // coherence below which ridges run over each other
	tooFaint   = 0.7       // of the darkest ridges; a finger that touches is darker
)

// Report tells about the last Extract or End.
func (e *Extractor) Report() Report { return e.report }

// survey fills in what is known of the image before it is filtered.
func (e *Extractor) survey() {
	e.report.Foreground = e.mask.fraction
	e.measureField(&e.report)
	e.measureTone(&e.report)
	e.report.Condition, e.report.Advice = PlaceFinger, PlaceFinger
}

// conclude fills in the rest once the minutiae are known.
func (e *Extractor) conclude() {
	e.report.Minutiae = len(e.found)
	e.report.Quality = e.grade(e.report.Coherence)
	small := min(smallPrint, smallShare*float64(e.raster.width*e.raster.height))
	e.report.Condition = e.report.condition(e.area() < small)
	e.report.Advice = e.report.advise()
}

// area of the finger in square pixels.
func (e *Extractor) area() float64 {
	return e.mask.fraction * float64(e.raster.width*e.raster.height)
}

// measureField takes the mean coherence and centre of the cells in the finger.
func (e *Extractor) measureField(p *Report) {
	m := &e.mask
	var sum, x, y, n float64
	for i, depth := range m.depth {
		if depth > 0 {
			sum += float64(e.orientation.coherence(i))
			x += float64(i % m.columns)
			y += float64(i / m.columns)
			n++
		}
	}
	if n == 0 {
		return
	}
	p.Coherence = sum / n
	dx := 2*(x/n+0.5)/float64(m.columns) - 1
	dy := 2*(y/n+0.5)/float64(m.rows) - 1
	p.OffCentre = min(1, math.Hypot(dx, dy))
}

// measureTone tells dry from wet prints. In a dry one ridges are thin and broken,
// so most of the finger is lighter than the middle of its grey range; in a wet one
// valleys drown. The range is taken between the 5th and 95th percentile.
func (e *Extractor) measureTone(p *Report) {
	var histogram [256]int
	total := 0
	for y := range e.raster.height {
		row := e.pixels[y*e.width : (y+1)*e.width]
		for _, run := range e.mask.runs(y) {
			for _, v := range row[run.from:run.to] {
				histogram[v]++
			}
			total += run.to - run.from
		}
	}
	if total == 0 {
		return
	}
	low, high := percentile(&histogram, total/20), percentile(&histogram, total-total/20)
	middle := (low + high) / 2
	dark, light := 0, 0
	var sum, square float64
	for v, n := range histogram {
		if v < middle {
			dark += n
		} else if v > middle {
			light += n
		}
		sum += float64(v * n)
		square += float64(v * v * n)
	}
	mean := sum / float64(total)
	p.Faintness = float64(low) / 255
	p.Contrast = math.Sqrt(max(0, square/float64(total)-mean*mean)) / 64
	p.Dryness = float64(light) / float64(total)
	p.Wetness = float64(dark) / float64(total)
}

// percentile is the grey level below or at which rank pixels lie.
func percentile(histogram *[256]int, rank int) int {
	for v, n := range histogram {
		if rank -= n; rank <= 0 {
			return v
		}
	}
	return 255
}

// grade is the sample's quality: how many minutiae there are and how good, and
// how clearly the ridges run. Each counts as a factor, since the lack of one
// cannot be made up by another.
func (e *Extractor) grade(coherence float64) uint8 {
	var sum float64
	for _, m := range e.found {
		sum += float64(m.quality)
	}
	count := min(1, sum/plenty)
	clarity := min(1, coherence/orderly)
	return uint8(math.Round(100 * math.Sqrt(count*clarity)))
}

// condition tells what stands out most in a print.
func (p *Report) condition(partial bool) Advice {
	switch {
	case p.Faintness > tooFaint:
		return LiftFinger
	case partial:
		return CoverMore
	case p.Coherence < disturbed:
		return HoldStill
	case p.Wetness > tooWet:
		return DryFinger
	case p.Dryness > tooDry:
		return PressHarder
	case p.OffCentre > aside:
		return Centre
	}
	return Fine
}

// advise picks the piece of advice that would help most, if one is needed. A latent
// print is told even where it could be used: it is no finger.
func (p *Report) advise() Advice {
	switch {
	case p.Condition == LiftFinger:
		return LiftFinger
	case p.Quality >= good:
		return Fine
	case p.Condition == Fine:
		return CoverMore
	}
	return p.Condition
}
