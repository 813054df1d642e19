package clock

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// D3, A2: whatever the machine's clock does within one run, the certain time is never later than the true one, never
// runs back, and the time that narrows is never before it.
func TestD3NoJumpOfTheMachinesClockMakesTimeCertain(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		truth, wall := noon, noon
		passed := time.Duration(0)
		c := Open(func() time.Time { return wall }, noon.Add(-time.Hour), func(time.Time) error { return nil })
		c.elapsed = func() time.Duration { return passed }
		before := c.Certain()
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				d := time.Duration(rapid.Int64Range(0, int64(30*24*time.Hour)).Draw(t, "passes"))
				truth, wall, passed = truth.Add(d), wall.Add(d), passed+d
			case 1:
				wall = wall.Add(time.Duration(rapid.Int64Range(int64(-20*365*24*time.Hour), int64(20*365*24*time.Hour)).Draw(t, "jump")))
			case 2:
				if err := c.Witness(truth); err != nil {
					t.Fatalf("the hub's right time is refused: %v", err)
				}
			}
			now, certain := c.Now(), c.Certain()
			if certain.After(truth) || certain.Before(before) || now.Before(certain) {
				t.Fatalf("truth %s, certain %s after %s, now %s", truth, certain, before, now)
			}
			before = certain
		}
	})
}
