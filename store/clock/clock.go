// Package clock gives a time that never runs backwards, on a machine that has no clock of its own.
//
// A Raspberry Pi without a network boots in the past. Dates that end a consent (A2, D3) must not come back to life
// then, so a [Clock] is never earlier than its high-water mark, which outlives the process through the save function. It
// may also boot in the future; then nothing must be wiped by date. So there are two times: whoever refuses acts on
// [Clock.Now], which may run ahead with the machine's clock; whoever destroys acts on [Clock.Certain], which moves
// only with what a witness has said and with the time that has passed since, and so lags while the machine is off.
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
	mark time.Time // all of it has passed for certain; zero on a terminal that has never had a witness
	// base and at are a time that was certain and elapsed at that moment: the mark at the start, then what witnesses said.
	base      time.Time
	at        time.Duration
	witnessed bool                 // in this run
	elapsed   func() time.Duration // since Open; setting the machine's clock does not move it
}

// Open starts a clock. system is the machine's time; mark is what save stored last, zero on a new terminal. save is
// called from Tick and Witness and makes its argument durable.
func Open(system func() time.Time, mark time.Time, save func(time.Time) error) *Clock {
	start := system() // with a monotonic reading, if it is time.Now
	return &Clock{system: system, save: save, mark: mark, saved: mark, base: mark, elapsed: func() time.Duration { return system().Sub(start) }}
}

// Now is the best known time, never before the mark. With a witness it is the witness's time plus what has passed since.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	certain := c.certain()
	if t := c.system(); !c.witnessed && t.After(certain) {
		return t
	}
	return certain
}

// Certain is a time that has passed whatever the machine's clock says: dates that it has reached may destroy something. It
// is zero before the first witness.
func (c *Clock) Certain() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.certain()
}

// certain moves the mark along. The caller holds mu.
func (c *Clock) certain() time.Time {
	if c.base.IsZero() {
		return c.mark
	}
	if t := c.base.Add(max(0, c.elapsed()-c.at)); t.After(c.mark) {
		c.mark = t
	}
	return c.mark
}

// Trusted reports whether the machine's clock is right, as far as this terminal can tell.
func (c *Clock) Trusted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.trusted()
}

// Mark is the latest certain moment so far.
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
	c.certain()
	c.base, c.at, c.witnessed = t, c.elapsed(), true
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

func (c *Clock) trusted() bool {
	if c.witnessed {
		return true
	}
	ahead := c.system().Sub(c.mark)
	return !c.mark.IsZero() && ahead >= 0 && ahead <= Believable
}
