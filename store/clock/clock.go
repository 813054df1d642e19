// Package clock gives a time that never runs backwards, on a machine that has no clock of its own.
//
// A Raspberry Pi without a network boots in the past. Dates that end a consent (A2, D3) must not come back to life
// then, so a [Clock] is never earlier than its high-water mark, which outlives the process through the save function. It
// may also boot in the future; then nothing must be wiped by date. [Clock.Trusted] tells the two uses apart: whoever
// refuses may act on any time, whoever destroys by date asks for a trusted one.
package clock

import (
	"fmt"
	"sync"
	"time"
)

const (
	// Believable is how far the system's time may lie ahead of the mark and still be trusted without a witness: a
	// terminal that was switched off over the summer holidays.
	Believable = 100 * 24 * time.Hour
	// Drift is how far the system's time may differ from a witness.
	Drift = 10 * time.Minute
	// SaveEvery bounds how much of the mark a power cut loses.
	SaveEvery = 10 * time.Minute
)

// Clock is a time source with a lower bound. It is safe for concurrent use.
type Clock struct {
	system func() time.Time
	save   func(mark time.Time) error

	saving sync.Mutex // held while save runs, never together with mu: whoever saves may ask for the time
	saved  time.Time  // the mark that is durable; guarded by saving

	mu   sync.Mutex
	mark time.Time // no trusted moment seen so far was later
	// base and at are a witness's time and the system's at that moment; zero without a witness in this run.
	base, at time.Time
}

// Open starts a clock. system is the machine's time; mark is what save stored last, zero on a new terminal. save is
// called from Tick and Witness and makes its argument durable.
func Open(system func() time.Time, mark time.Time, save func(time.Time) error) *Clock {
	return &Clock{system: system, save: save, mark: mark, saved: mark}
}

// Now is the best known time, never before the mark. With a witness it is the witness's time plus what has passed since.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.estimate()
	if c.trusted() {
		c.mark = t
	}
	return t
}

// Trusted reports whether dates that have been reached may destroy something.
func (c *Clock) Trusted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.trusted()
}

// Mark is the latest trusted moment so far.
func (c *Clock) Mark() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mark
}

// Witness tells the clock a time that the hub has signed. A time before the mark is a replay or a hub that is wrong;
// it changes nothing and is reported.
func (c *Clock) Witness(t time.Time) error {
	if err := c.witness(t); err != nil {
		return err
	}
	return c.store()
}

func (c *Clock) witness(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.Before(c.mark.Add(-Drift)) {
		return fmt.Errorf("the hub's time %s lies before %s, which this terminal has seen: check the hub's clock",
			t.UTC().Format(time.RFC3339), c.mark.UTC().Format(time.RFC3339))
	}
	c.base, c.at = t, c.system()
	if t.After(c.mark) {
		c.mark = t
	}
	return nil
}

// Tick makes the mark durable if it has moved enough; call it about once a minute and at the end.
func (c *Clock) Tick() error {
	c.Now()
	return c.store()
}

func (c *Clock) store() error {
	c.saving.Lock()
	defer c.saving.Unlock()
	mark := c.Mark()
	if mark.Sub(c.saved) < SaveEvery {
		return nil
	}
	if err := c.save(mark); err != nil {
		return fmt.Errorf("keeping the time: %w", err)
	}
	c.saved = mark
	return nil
}

// estimate is the caller's to lock.
func (c *Clock) estimate() time.Time {
	t := c.system()
	if !c.at.IsZero() {
		// The difference uses the monotonic reading when system gives one, so that setting the machine's clock
		// in the meantime moves nothing.
		t = c.base.Add(max(0, t.Sub(c.at)))
	}
	if t.Before(c.mark) {
		return c.mark
	}
	return t
}

func (c *Clock) trusted() bool {
	if !c.at.IsZero() {
		return true
	}
	ahead := c.system().Sub(c.mark)
	return !c.mark.IsZero() && ahead >= 0 && ahead <= Believable
}
