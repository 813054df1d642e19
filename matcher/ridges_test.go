package matcher

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// sketched gives made, which has a flow, the ridges of random places.
func sketched(made *Template, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 8))
	made.Ridges, made.Sketch = make([]uint8, len(made.Flow)), make([]uint64, len(made.Flow))
	for i, v := range made.Flow {
		if v != 0 {
			made.Sketch[i] = r.Uint64()
			made.Ridges[i] = RidgesOf(made.Sketch[i])
		}
	}
}

// waves gives made straight ridges in the direction angle, nine pixels apart,
// whose first lies shifted.
func waves(made *Template, angle, shift float64) {
	columns, rows := FlowSize(made.Width, made.Height)
	n := columns * rows
	made.Flow, made.Ridges, made.Sketch = make([]uint8, n), make([]uint8, n), make([]uint64, n)
	sin, cos := math.Sincos(angle)
	for i := range n {
		made.Flow[i] = FlowValue(angle)
		for place := range 64 {
			x, y := SketchPlace(place)
			x, y = x+float64(i%columns*FlowCell), y+float64(i/columns*FlowCell)
			if math.Cos(tau/9*(sin*x+cos*y-shift)) > 0 {
				made.Sketch[i] |= 1 << place
			}
		}
		made.Ridges[i] = RidgesOf(made.Sketch[i])
	}
}

func TestRidgePlacesAreFarApart(t *testing.T) {
	for i, a := range ridgePlaces {
		for _, b := range ridgePlaces[:i] {
			ax, ay := SketchPlace(a)
			bx, by := SketchPlace(b)
			if math.Hypot(ax-bx, ay-by) < 8 {
				t.Errorf("places %d and %d are %.1f pixels apart: together they could show ridges", a, b, math.Hypot(ax-bx, ay-by))
			}
		}
		if RidgesOf(1<<a) != 1<<i {
			t.Errorf("place %d is kept as %b", a, RidgesOf(1<<a))
		}
	}
}

// Ridges agree with themselves, moved or not, and a little beside; those of
// another finger agree in half of the places.
func TestRidgesAgreeUnderTheMovement(t *testing.T) {
	s := takeScratch()
	defer s.giveBack()
	s.mates = s.mates[:0]
	level := func(probe, ref *Template, m movement) float64 {
		return s.compareRidges(mustPrepare(t, probe), mustPrepare(t, ref), &m).level()
	}
	made := finger(1)
	waves(made, 0.4, 0)
	still := movement{cos: 1}
	whole := level(made, made, still)
	if whole < 25 {
		t.Errorf("ridges and themselves: %.1f", whole)
	}
	beside := finger(1)
	waves(beside, 0.4, 2.5) // a quarter of a ridge: the skin slipped
	if l := level(beside, made, still); l < 0.8*whole {
		t.Errorf("ridges that slipped a little: %.1f of %.1f", l, whole)
	}
	other := finger(1)
	waves(other, 0.4, 0)
	sketched(other, 2)
	if l := level(other, made, still); math.Abs(l) > 4 {
		t.Errorf("other ridges: %.1f", l)
	}
	quarter := finger(1)
	waves(quarter, 0.4+math.Pi/2, 0)
	side := float32(made.Width)
	turned := movement{sin: -1, dx: side, turned: storedTurn * 3 / 4}
	if l, wrong := level(quarter, made, turned), level(quarter, made, still); l < 2*math.Abs(wrong)+10 {
		t.Errorf("ridges turned: %.1f under the turn, %.1f without", l, wrong)
	}
	without := finger(1)
	if l := level(without, made, still); l != 0 {
		t.Errorf("without a sketch: %.1f", l)
	}
}

// Where all neighbours agree after one slip, a cell takes that, whatever its own
// ridges say, and also where its neighbours count the other way.
func TestNeighboursTellTheSlip(t *testing.T) {
	for slip := range slipCount {
		s := new(scratch)
		s.ridges = make([]ridgeCell, 9)
		for i := range s.ridges {
			c := &s.ridges[i]
			c.places, c.acrossX = 8, 1
			says := slip
			if i%2 == 1 {
				c.acrossX, says = -1, slipCount-1-slip
			}
			for k := range slipCount {
				v := 8
				if k == says && i != 4 {
					v = 16
				}
				c.agreed |= slips(v) << (8 * k)
			}
		}
		if got := s.slip(4, 3); got != slip {
			t.Errorf("neighbours agree on slip %d, the cell takes %d", slip, got)
		}
	}
}

func TestSlipsAcross(t *testing.T) {
	var s slips
	for k := range slipCount {
		s |= slips(k+1) << (8 * k)
	}
	for _, alike := range []float32{1, 0.9, 0.5, 0.3, 0, -0.3, -0.7, -0.95, -1} {
		got := s.across(alike)
		for k := range slipCount {
			want := int(math.Floor(float64(mostSlips+0.5+alike*float32(k-mostSlips)))) + 1
			if off := int(got>>(8*k)&0xff) - want; off != 0 && math.Abs(float64(alike)) < slipsAlike || off > 1 || off < -1 {
				t.Errorf("seen at %g, slip %d is the other's %d, want %d", alike, k, int(got>>(8*k)&0xff)-1, want-1)
			}
		}
	}
}

// A gallery keeps the ridges: what it scores is what Score gives, grown or not.
func TestGalleryKeepsRidges(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for _, growth := range []float64{1, 1.07} {
		made := finger(3)
		waves(made, 0.4, 0)
		made.Flow[5], made.Ridges[5], made.Sketch[5] = 0, 0, 0
		made.Grow(growth)
		e := kept("p", made)
		c := newChunk([]entry{kept("o", finger(4)), e, kept("o", finger(5))})
		var unpacked Prepared
		e = c.at(1)
		unpacked.unpackInto(&e)
		if !slices.Equal(unpacked.ridges, made.Ridges) {
			t.Errorf("kept %v of %v", unpacked.ridges, made.Ridges)
		}
		again := press(finger(3), r, 0, 0, 0, 0.1)
		waves(again, 0.4, 0)
		probe := mustPrepare(t, again)
		if a, b := Score(probe, &unpacked), Score(probe, mustPrepare(t, made)); math.Abs(a-b) > 0.05*b {
			t.Errorf("grown by %g, the gallery's scores %.2f, the template %.2f", growth, a, b)
		}
		c.clear()
		if c.ridges != nil {
			t.Error("a cleared chunk still has ridges")
		}
	}
}

func TestRidgesAreEvidence(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	made := finger(3)
	again := press(made, r, 0, 0, 0, 0.4)
	waves(made, 0.4, 0)
	waves(again, 0.4, 0)
	with := Score(mustPrepare(t, again), mustPrepare(t, made))
	sketched(again, 7)
	against := Score(mustPrepare(t, again), mustPrepare(t, made))
	again.Ridges, again.Sketch = nil, nil
	without := Score(mustPrepare(t, again), mustPrepare(t, made))
	if !(with > without+3 && without+3 > against) {
		t.Errorf("scores with the ridges %.1f, without %.1f, with others' %.1f", with, without, against)
	}
}
