// Package extract turns the image of a finger into a minutiae template.
//
// An [Extractor] holds the buffers of one image after another:
//
//	e := extract.New()
//	t, err := e.Extract(s) // s.PPI must be set
//	if err != nil { ... e.Report().Advice ... }
//
// or, while a slow sensor sends its rows, [Extractor.Begin], [Extractor.Row]
// and [Extractor.End]. On the way, whenever [Extractor.Ripe] says so,
// [Extractor.Sofar] is the template of the rows that have come; judge what a search
// finds with it by [matcher.Policy.Early].
//
// # How it works
//
// Ridges are treated as a wave whose direction and period change slowly, and
// minutiae as the dislocations of that wave, after Larkin and Fletcher, "A
// coherent framework for fingerprint analysis: are fingerprints holograms?",
// Optics Express 15 (2007) 8667:
//
//  1. Contrast is levelled over a window of about two ridges (normalise.go).
//  2. The ridge direction comes from a smoothed structure tensor, as in Kass
//     and Witkin, "Analyzing oriented patterns" (1987) and Bigün and Granlund
//     (1987); see orientation.go.
//  3. The finger is told from its background by contrast, coherence and
//     blankness (segment.go, blank.go).
//  4. The ridge period is the strongest answer of a small bank of quadrature
//     filters across the ridges (period.go).
//  5. A Gabor filter that follows direction and period, as in Hong, Wan and
//     Jain, "Fingerprint image enhancement" (PAMI 1998), but complex and in two
//     one-dimensional passes (along the ridge, then across it), gives every
//     pixel an amplitude and a phase (wave.go). The direction is measured again
//     on the result, and the image filtered once more.
//  6. Around a minutia the phase turns by one whole circle. The zeros of the
//     complex image are found between pixels by their winding number; its sign
//     gives the direction, the phase beside it the kind (vortex.go).
//  7. Breaks, bridges, spurs and islands are pairs of zeros of opposite sign
//     close to each other, and annul (clean.go); what lies at the edge of the
//     finger or in disordered ground is dropped, the rest gets a quality.
//
// # What it promises
//
// Positions and directions are those of 500 pixels per inch whatever the
// resolution of the sample. Hostile images cost at most time and memory linear
// in their pixels, which are bounded by [MaxSide]: at most 28 bytes a pixel, 63 MB
// in all, kept for the next image, and the time of thirty images of 256 × 288.
// After the first image of a size, [Extractor.ExtractInto] allocates nothing.
// Processors differ in the last bits only: by less than a hundredth of a pixel.
//
// An image whose ridges are lighter than its valleys is not recognised as such:
// round sensors show a black ground too. It gives the same minutiae with their kinds
// swapped.
package extract
