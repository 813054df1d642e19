package till

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestThrottleGrows: a few slips are free, then each wrong PIN costs a longer
// rest than the one before, up to a bound.
func TestThrottleGrows(t *testing.T) {
	now := time.Unix(1e9, 0)
	var h throttle
	for i := range freeWrong {
		if h.wrong(now) || h.wait(now) != 0 {
			t.Fatalf("slip %d already costs a rest", i+1)
		}
	}
	last := time.Second
	for i := range 8 {
		if !h.wrong(now) {
			t.Fatal("too many wrong PINs cost no rest")
		}
		rest := h.wait(now)
		if rest > longestRest || rest < last {
			t.Fatalf("rest %d is %v after %v", i+1, rest, last)
		}
		last = rest
		now = now.Add(rest)
	}
	if now = now.Add(time.Hour); h.wrong(now) {
		t.Error("an hour later one slip costs a rest")
	}
}

// TestThrottleBoundsGuessing: however a guesser times wrong PINs, an hour holds
// no more of them than the bucket's size and a leak's worth twice over.
func TestThrottleBoundsGuessing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h throttle
		start := time.Unix(1e9, 0)
		guesses := 0
		for now := start; now.Sub(start) < time.Hour; {
			if wait := h.wait(now); wait > 0 {
				now = now.Add(wait)
				continue
			}
			h.wrong(now)
			guesses++
			now = now.Add(time.Duration(rapid.IntRange(0, 90_000).Draw(t, "pause ms")) * time.Millisecond)
		}
		if most := freeWrong + 10 + 2*60; guesses > most {
			t.Fatalf("%d guesses in an hour, more than %d", guesses, most)
		}
	})
}
