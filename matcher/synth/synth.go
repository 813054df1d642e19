// Package synth makes fingers that nobody has: ridge patterns with natural
// classes and minutiae, presses of them under stated conditions, and plausible
// minutia templates without any picture. They serve as the crowd in which a
// search must still find the right person, as the pupils of the demonstration,
// and as test images that may be published.
//
//	m := synth.NewMaster(42)                                   // one finger
//	s := m.Impression(7, synth.RandomConditions(7))            // one press of it
//	t := synth.Template(1_000_001)                             // one of a crowd
//
// Everything follows from the seed. The random numbers are PCG (math/rand/v2),
// the ridges grow in whole numbers, and floating point only chooses among
// quantised values, so that the same seed gives the same finger on every
// processor but for the rare value that a last bit pushes over a rounding edge.
// A test holds the pixels' hash; amd64, arm64 and arm v6 agree on it.
//
// The method is that of SFinGe (Cappelli, Erol, Maio and Maltoni, "Synthetic
// fingerprint-image generation", ICPR 2000; Cappelli, Maio and Maltoni,
// "Synthetic fingerprint-database generation", ICPR 2002): an orientation field
// and a map of ridge periods, ridges grown from seeds by a filter tuned to both,
// and presses derived from that master. The code is our own.
package synth

import (
	"math"
	"math/rand/v2"
)

// PPI is the resolution of everything this package makes, in pixels per inch.
const PPI = 500

// Class is a pattern class of the Galton-Henry system.
type Class uint8

// The five classes. A loop is named for the side, as seen in the print, to
// which its ridges leave.
const (
	Arch Class = iota
	TentedArch
	LeftLoop
	RightLoop
	Whorl
)

func (c Class) String() string {
	return [...]string{"arch", "tented arch", "left loop", "right loop", "whorl"}[c]
}

// share of each class among people's fingers (Wilson, Candela and Watson,
// "Neural network fingerprint classification", 1994).
var share = [...]float64{Arch: 0.037, TentedArch: 0.029, LeftLoop: 0.338, RightLoop: 0.317, Whorl: 0.279}

func drawClass(r *rand.Rand) Class {
	u := r.Float64()
	for c, p := range share {
		if u -= p; u < 0 {
			return Class(c)
		}
	}
	return Whorl
}

// Streams keep what is drawn for different ends from one seed apart.
const (
	streamFlow = 0x666c6f77 + iota
	streamRidges
	streamPress
	streamConditions
	streamTemplate
	streamTemplatePress
	streamGraft
)

func random(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

// between draws evenly from lo to hi.
func between(r *rand.Rand, lo, hi float64) float64 { return lo + (hi-lo)*r.Float64() }

// normal draws from a normal distribution cut off at two and a half deviations.
func normal(r *rand.Rand, mean, deviation float64) float64 {
	return mean + deviation*min(max(r.NormFloat64(), -2.5), 2.5)
}

type point struct{ x, y float64 }

func clamp(v, lo, hi float64) float64 { return math.Min(math.Max(v, lo), hi) }
