package extract

import (
	"math"
	"testing"

	"github.com/tillprint/tillprint/matcher/sample"
	"github.com/tillprint/tillprint/matcher/synth"
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

// onGlass is what a glass of that size shows of a press, at 16 levels.
func onGlass(press *sample.Sample, width, height int) *sample.Sample {
	out := sample.New(width, height, press.PPI)
	left, top := (press.Width-width)/2, (press.Height-height)/2
	for y := range height {
		copy(out.Pix[y*width:(y+1)*width], press.Pix[(top+y)*press.Width+left:])
	}
	return altered(out, func(_, _ int, v float64) float64 { return v })
}

// Presses of synthetic fingers made dry, wet and so on are told as what they are,
// whether or not they would do. The limits were found on presses of other fingers.
func TestConditionsAreToldApart(t *testing.T) {
	tests := []struct {
		fault string
		how   synth.Conditions
		spoil func(press, other *sample.Sample) // nil: the conditions are enough
	}{
		{"", synth.Conditions{}, nil},
		{"", synth.Conditions{Distortion: 1, Noise: 0.5}, nil},
		{"dry", synth.Conditions{Moisture: -1, Pressure: -1}, nil},
		{"wet", synth.Conditions{Moisture: 1, Pressure: 1}, nil},
		{"partial", synth.Conditions{Missing: 0.8}, nil},
		{"off-centre", synth.Conditions{ShiftX: 150}, nil},
		{"smudged", synth.Conditions{Noise: 0.5}, func(press, other *sample.Sample) { // a second press over it, and smears
			for i, v := range other.Pix {
				smear := 260 * (hash(i%press.Width, i/press.Width, 4) - 0.5)
				press.Pix[i] = uint8(max(0, min(255, (float64(press.Pix[i])+float64(v))/2+smear)))
			}
		}},
		{"latent", synth.Conditions{}, func(press, _ *sample.Sample) {
			for i, v := range press.Pix {
				press.Pix[i] = 204 + v/5
			}
		}},
	}
	e := New()
	for seed := range uint64(2) {
		master := synth.NewMaster(901 + seed)
		for _, test := range tests {
			press := master.Impression(seed, test.how)
			if test.spoil != nil {
				turned := test.how
				turned.Rotation, turned.ShiftX = 1.2, 15
				test.spoil(press, master.Impression(seed+9, turned))
			}
			for _, glass := range [][2]int{{256, 288}, {192, 192}} {
				e.Extract(onGlass(press, glass[0], glass[1]))
				if r := e.Report(); r.Condition.Fault() != test.fault {
					t.Errorf("finger %d on %v, %+v: told as %q, want %q: %+v", seed, glass, test.how, r.Condition.Fault(), test.fault, r)
				}
			}
		}
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
