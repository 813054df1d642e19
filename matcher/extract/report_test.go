package extract

import (
	"math"
	"testing"

	"github.com/tillprint/tillprint/matcher/sample"
)

// altered is a copy of a print with every pixel changed by f, at 16 levels as a
// module sends them.
func altered(s *sample.Sample, f func(x, y int, v float64) float64) *sample.Sample {
	out := sample.New(s.Width, s.Height, s.PPI)
	for i, v := range s.Pix {
		grey := max(0, min(255, f(i%s.Width, i/s.Width, float64(v))))
		out.Pix[i] = uint8(int(grey) / 16 * 17)
	}
	return out
}

// hash is a cheap noise, 0..1, constant over squares of the given side.
func hash(x, y, side int) float64 {
	h := uint32(x/side)*2654435761 ^ uint32(y/side)*2246822519
	h ^= h >> 15
	h *= 2246822519
	return float64(h>>8) / (1 << 24)
}

// TestFaultsAreToldApart: each way to spoil a press has its own name and words.
func TestFaultsAreToldApart(t *testing.T) {
	print := scattered.draw(256, 288, 500)
	crossed := pattern{period: 9, angle: 1.7}.draw(256, 288, 500)
	const faint = 204 // the lightest four of sixteen levels are all that a trace has
	tests := []struct {
		fault string
		s     *sample.Sample
	}{
		{"dry", altered(print, func(x, y int, v float64) float64 { // thin ridges in pieces
			if v > 60 || hash(x, y, 5) < 0.45 {
				return 250
			}
			return v
		})},
		{"wet", altered(print, func(x, y int, v float64) float64 { // valleys filled but for some
			if v < 200 || hash(x, y, 5) < 0.45 {
				return 10
			}
			return v
		})},
		{"smudged", altered(print, func(x, y int, v float64) float64 { // two presses over each other
			return 0.58*v + 0.42*float64(crossed.Pix[y*256+x]) + 120*(hash(x, y, 3)-0.5)
		})},
		{"partial", altered(print, func(x, y int, v float64) float64 {
			if math.Hypot(float64(x-128), float64(y-144)) > 45 {
				return 255
			}
			return v
		})},
		{"off-centre", altered(print, func(x, y int, v float64) float64 {
			if x < 140 {
				return 255
			}
			return v + 60*(hash(x, y, 2)-0.5)
		})},
		{"latent", altered(print, func(_, _ int, v float64) float64 { return faint + v/5 })},
		{"no finger", sample.New(256, 288, 500)},
	}
	e := New()
	for _, test := range tests {
		t.Run(test.fault, func(t *testing.T) {
			e.Extract(test.s) // whether or not it gives a template
			if r := e.Report(); r.Advice.Fault() != test.fault || r.Advice.String() == "" {
				t.Errorf("told as %q: %q, %+v", r.Advice.Fault(), r.Advice, r)
			}
		})
	}
}

// A latent print is told as one even where its ridges would do.
func TestLatentIsNoFinger(t *testing.T) {
	s := altered(scattered.draw(192, 192, 508), func(_, _ int, v float64) float64 { return 204 + v/5 })
	e := New()
	if _, err := e.Extract(s); err != nil {
		t.Fatal(err)
	}
	if r := e.Report(); r.Advice != LiftFinger {
		t.Errorf("%q, %+v", r.Advice, r)
	}
}

func TestAdvice(t *testing.T) {
	if Fine.String() != "" || Fine.Fault() != "" {
		t.Error("Fine has words")
	}
	for a := Centre; a <= PlaceFinger; a++ {
		if a.String() == "" || a.Fault() == "" {
			t.Errorf("advice %d has no words", a)
		}
	}
}
