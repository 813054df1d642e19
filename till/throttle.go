package till

import (
	"math"
	"time"
)

// A PIN names its owner by itself, so there is no account to lock: guessing is
// slowed for the whole till instead (field.md 5F). Each wrong PIN fills a bucket
// by one, which leaks one a minute; above freeWrong each further one costs a
// delay that doubles up to longestRest. Nobody is locked out of lunch by it: the
// name look-up is always open.
const (
	freeWrong   = 4
	leakEvery   = time.Minute
	longestRest = time.Minute
)

// throttle is owned by the till's goroutine.
type throttle struct {
	level float64   // how full the bucket is
	at    time.Time // when level was true
	until time.Time // PINs are not taken before this
}

// wait returns how long the PIN pad still rests; 0 when it may be used.
func (h *throttle) wait(now time.Time) time.Duration { return max(0, h.until.Sub(now)) }

// wrong notes a wrong PIN and reports whether this one made the pad rest.
func (h *throttle) wrong(now time.Time) bool {
	if !h.at.IsZero() {
		h.level = max(0, h.level-now.Sub(h.at).Minutes()/leakEvery.Minutes())
	}
	h.level++
	h.at = now
	over := h.level - freeWrong
	if over <= 0 {
		return false
	}
	rest := time.Duration(math.Exp2(math.Min(over, 10)) * float64(time.Second))
	h.until = now.Add(min(rest, longestRest))
	return true
}
