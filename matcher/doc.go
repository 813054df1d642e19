// Package matcher compares fingerprints by their minutiae: one template with
// another ([Score]), or one probe with everybody enrolled ([Gallery]), and says
// whether that is enough to name somebody ([Policy]).
//
// A [Template] comes from an image (package extract), from another maker's
// record (package iso19794) or from a store (UnmarshalBinary). Coordinates are
// pixels at 500 ppi, angles radians; see [Minutia].
//
//	g := matcher.NewGallery()
//	err := g.Add("p_x", 2, first, second, third) // three presses of one finger
//	...
//	found, err := g.Identify(ctx, probe, 2)
//	verdict := matcher.DefaultPolicy.Decide(found, g.Len())
//	if verdict.Found { ... verdict.Best.Subject ... }
//
// # How it compares
//
// Each minutia gets a description of its neighbourhood that does not change
// when the finger moves. The most similar pairs of minutiae support each other
// where they describe the same movement (relaxation). The best supported
// movements are tried: minutiae are paired under each, first rigidly, then
// letting the skin stretch. Where both sides show them, the flow of the ridges
// and, under the best movement, the ridges themselves are compared too. What all
// of them say is summed into a score; Explain shows the pairs. The views of a
// finger are fused, and a search's scores calibrated by those of its strangers,
// so that the policy's threshold follows the probe.
// The papers are named where the code follows them.
//
// # What it promises
//
// Time and memory are bounded whatever the template holds: at most 64 minutiae
// of it take part. Nothing panics on a template that Validate accepts, and
// everything else is refused with an error. A Gallery may be searched and
// changed by any number of goroutines. Templates are personal data: the
// package keeps copies only in Prepared and Gallery, overwrites what is removed
// from them, and names no coordinate in an error.
package matcher
