package custody

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
)

// Swept is what a sweep did.
type Swept struct {
	Evicted  int             // subjects that left the gallery
	Loaded   int             // subjects that came into it, after an earlier failure
	Receipts []store.Receipt // of those whose fingers were wiped
}

// Sweep acts on dates that have been reached (A2, D3): who may no longer be matched leaves the gallery at once; who
// may no longer be held is wiped, in one rotation. Wiped is only by time that has passed for certain; by the machine's clock
// alone fingers rest: a terminal that wakes in the wrong year must neither permit nor forget a whole school.
func (c *Custody) Sweep(ctx context.Context) (Swept, error) {
	c.write.Lock()
	defer c.write.Unlock()
	var s Swept
	now := c.st.Clock().Now()
	for _, id := range c.g.Subjects() {
		if d, _ := c.st.Decision(consent.SubjectID(id), now); d != consent.Permit {
			c.g.RemoveSubject(id)
			s.Evicted++
		}
	}
	before := len(c.g.Subjects())
	if err := c.loadAll(ctx); err != nil {
		return s, err
	}
	s.Loaded = len(c.g.Subjects()) - before
	var err error
	switch {
	case !c.Biometrics(): // a power cut may have come between the switch and the wipe
		s.Receipts, err = c.st.WipeAll("A16")
	default:
		s.Receipts, err = c.st.Wipe(c.ended())
	}
	if err != nil {
		return s, fmt.Errorf("sweeping: %w", err)
	}
	return s, nil
}

// ended lists who has templates and may not, in a fixed order.
func (c *Custody) ended() []store.Ending {
	now := c.st.Certain()
	var ended []store.Ending
	c.st.Standings(func(id consent.SubjectID, st store.Standing) bool {
		if d, rows := st.At(now); d == consent.Erase {
			ended = append(ended, store.Ending{Subject: id, Row: first(rows, "D3")})
		}
		return true
	})
	slices.SortFunc(ended, func(a, b store.Ending) int { return strings.Compare(string(a.Subject), string(b.Subject)) })
	return ended
}

func first(rows []string, otherwise string) string {
	if len(rows) == 0 {
		return otherwise
	}
	return rows[0]
}

// Refetch empties the gallery and the store, whose contents the hub has found to be older than what it knows of this
// terminal: a card was put back (H17). why is a sentence for people. After an error it is to be called again.
func (c *Custody) Refetch(why string) error {
	c.write.Lock()
	defer c.write.Unlock()
	for _, id := range c.g.Subjects() {
		c.g.RemoveSubject(id)
	}
	return c.st.Refetch(why)
}

// SetBiometrics sets the site's mode (A16). Turning it off empties the gallery at once and wipes every template; turning
// it on again brings nothing back. After an error it is to be called again: off holds in memory already, on does not.
func (c *Custody) SetBiometrics(_ context.Context, on bool) ([]store.Receipt, error) {
	if on {
		return nil, c.turnOn()
	}
	c.mu.Lock()
	c.off = true
	wiped := c.wiped
	c.mu.Unlock()
	if wiped {
		return nil, nil
	}
	c.write.Lock()
	defer c.write.Unlock()
	for _, id := range c.g.Subjects() {
		c.g.RemoveSubject(id)
	}
	if err := c.keepSwitch(settingOff, true); err != nil {
		return nil, err
	}
	// A crash here leaves a site that is off, whose templates the next sweep wipes.
	receipts, err := c.st.WipeAll("A16")
	if err != nil {
		return receipts, fmt.Errorf("turning biometrics off: %w", err)
	}
	c.mu.Lock()
	c.wiped = true
	c.mu.Unlock()
	return receipts, nil
}

func (c *Custody) turnOn() error {
	if c.Biometrics() {
		return nil
	}
	c.write.Lock()
	defer c.write.Unlock()
	if err := c.keepSwitch(settingOff, false); err != nil {
		return err
	}
	c.mu.Lock()
	c.off, c.wiped = false, false
	c.mu.Unlock()
	return nil
}
