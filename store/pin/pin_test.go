package pin_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/tillprint/tillprint/store/pin"
)

func TestNothingIsTheSameTwice(t *testing.T) {
	all := [][]byte{
		pin.Index([]byte("one site"), []byte("493201")), pin.Index([]byte("another"), []byte("493201")), pin.Index([]byte("one site"), []byte("493202")),
		pin.Secret([]byte("one site"), []byte("493201")), pin.Secret([]byte("another"), []byte("493201")), pin.Secret([]byte("one site"), []byte("493202")),
	}
	for i, a := range all {
		for _, b := range all[:i] {
			if bytes.Equal(a, b) {
				t.Error("an index or a secret is that of another site, another PIN or the other purpose")
			}
		}
	}
}

// TestCalibrate chooses costs for machines from the slowest board to the fastest server.
func TestCalibrate(t *testing.T) {
	for _, m := range []struct {
		name     string
		speed    time.Duration // of a pass over a MiB
		in       bool          // whether the window can be met
		extreme  pin.Cost
		absolute bool
	}{
		{"hopeless", 40 * time.Millisecond, false, pin.Least, true},
		{"a Pi 3", 11 * time.Millisecond, true, pin.Cost{}, false},
		{"a Pi 4", 5 * time.Millisecond, true, pin.Cost{}, false},
		{"a Pi 5", 2 * time.Millisecond, true, pin.Cost{}, false},
		{"a desktop", 1100 * time.Microsecond, true, pin.Cost{}, false},
		{"beyond", 100 * time.Microsecond, false, pin.Most, true},
	} {
		runs := 0
		c, took := pin.Calibrate(func(c pin.Cost) time.Duration {
			runs++
			return m.speed * time.Duration(c.Passes) * time.Duration(c.KiB>>10)
		})
		if in := took >= pin.Quick && took <= pin.Slow; in != m.in || m.absolute && c != m.extreme || c.Cheaper(pin.Least) || pin.Most.Cheaper(c) || runs > 3 {
			t.Errorf("%s: %v takes %v after %d runs", m.name, c, took, runs)
		}
	}
	if pin.Least.Measure(time.Now) <= 0 {
		t.Error("a computation that takes no time")
	}
}

// TestWhatDoesNotFit compares costs with the one that was found: what takes from 300 to 500 ms there fits.
func TestWhatDoesNotFit(t *testing.T) {
	now := pin.Cost{Passes: 8, KiB: 19 << 10, Threads: 1} // 400 ms
	for passes, want := range map[uint32][2]bool{2: {true, false}, 5: {true, false}, 6: {}, 8: {}, 10: {}, 11: {false, true}} {
		c := pin.Cost{Passes: passes, KiB: 19 << 10, Threads: 1}
		if got := [2]bool{c.TooCheap(now), c.TooSlow(now)}; got != want {
			t.Errorf("%v beside %v: too cheap and too slow are %v", c, now, got)
		}
	}
}
