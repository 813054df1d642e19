package extract

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tillprint/tillprint/matcher"
)

// However often an image is looked at on its way, its end is the same, and what
// was seen lay in the rows that had come.
func TestSofarLeavesTheEndAsItIs(t *testing.T) {
	s := scattered.draw(192, 192, 508)
	want := mustExtract(t, s)
	e, seen := New(), 0
	e.Begin(s.Width, s.Height, s.PPI)
	for y := range s.Height {
		e.Row(y, s.Pix[y*s.Width:(y+1)*s.Width])
		if y%7 != 0 {
			continue
		}
		got, err := e.Sofar()
		if y < MinSide {
			if !errors.Is(err, ErrEarly) {
				t.Fatalf("after %d rows: %v, want ErrEarly", y+1, err)
			}
			continue
		}
		if err != nil {
			if !errors.Is(err, ErrEarly) {
				t.Fatalf("after %d rows: %v", y+1, err)
			}
			continue
		}
		if err := got.Validate(); err != nil || got.Height > y+1 {
			t.Fatalf("after %d rows: height %d, %v", y+1, got.Height, err)
		}
		seen = len(got.Minutiae)
	}
	if seen < 5 {
		t.Errorf("%d minutiae seen near the end, want nearly all", seen)
	}
	got, err := e.End()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// What has been seen early is where it will be in the end.
func TestSofarSeesWhatIsThere(t *testing.T) {
	s := scattered.draw(256, 288, 500)
	e := New()
	e.Begin(s.Width, s.Height, s.PPI)
	for y := range 180 {
		e.Row(y, s.Pix[y*s.Width:(y+1)*s.Width])
	}
	got, err := e.Sofar()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		want := scattered.truth(i, s.Width, s.Height, s.PPI)
		if m, distance, _ := nearest(got, want); distance > 2.5 {
			t.Errorf("fault %d is %.1f pixels off: %+v", i, distance, m)
		}
	}
	if len(got.Minutiae) > 4 {
		t.Errorf("%d minutiae, want those of the part seen: the edge that moves is no ending", len(got.Minutiae))
	}
}

func TestSofarRefuses(t *testing.T) {
	e := New()
	if _, err := e.Sofar(); !errors.Is(err, ErrEarly) {
		t.Errorf("before an image: %v, want ErrEarly", err)
	}
	e.Begin(192, 192, 5000)
	if _, err := e.Sofar(); !errors.Is(err, ErrResolution) {
		t.Errorf("5000 ppi: %v, want ErrResolution", err)
	}
	e.Begin(300, 300, 1000)
	for y := range 300 {
		e.Row(y, make([]byte, 300))
	}
	if _, err := e.Sofar(); !errors.Is(err, ErrEarly) {
		t.Errorf("1000 ppi: %v, want ErrEarly", err)
	}
	e.Begin(192, 192, 508)
	for y := range 150 {
		e.Row(y, make([]byte, 192))
	}
	if _, err := e.Sofar(); !errors.Is(err, ErrNoFinger) {
		t.Errorf("black: %v, want ErrNoFinger", err)
	}
}

func TestSofarAllocatesNothing(t *testing.T) {
	s := scattered.draw(192, 192, 508)
	e, got := New(), new(matcher.Template)
	scan := func() {
		e.Begin(s.Width, s.Height, s.PPI)
		for y := range s.Height {
			e.Row(y, s.Pix[y*s.Width:(y+1)*s.Width])
			if y%16 == 0 && y > 90 {
				if err := e.SofarInto(got); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := e.finish(got); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(3, scan); n > 0 {
		t.Errorf("%.0f allocations", n)
	}
}

// Looks begin when there is something to see, and are no more than the policy
// for them shares its budget among.
func TestRipe(t *testing.T) {
	for _, height := range []int{80, 100, 192, 288, 640} {
		e := New()
		e.Begin(256, height, 500)
		first, n := 0, 0
		for y := range height {
			e.Row(y, make([]uint8, 256))
			if e.Ripe() {
				if e.Sofar(); n == 0 {
					first = y + 1
				}
				n++
			}
		}
		if n < 8 || n > matcher.EarlyLooks || first*10 < height*4 {
			t.Errorf("%d looks at %d rows, the first after %d", n, height, first)
		}
	}
}
