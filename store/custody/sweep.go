package custody

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
)

// Swept is what a sweep did.
type Swept struct {
	Evicted  int             // subjects that left the gallery
	Loaded   int             // subjects that came into it, after an earlier failure
	Receipts []store.Receipt // of those whose fingers were wiped
}

// Sweep acts on dates that have been reached (A2, D3): who may no longer be matched leaves the gallery at once; who
// may no longer be held is wiped, in one rotation. Wiped is only by time that has passed for certain; by the machine's clock
// alone fingers rest: a terminal that wakes in the wrong year must neither permit nor forget a whole school. When the lease is over
// nobody stays in the gallery: a terminal out of contact for so long locks itself (D3, H6), and what may not be matched (I7) need not
// lie in memory. Nothing is wiped for that, and the log tells it.
func (c *Custody) Sweep(ctx context.Context) (Swept, error) {
	c.write.Lock()
	defer c.write.Unlock()
	var s Swept
	now, rest := c.st.Clock().Now(), c.resting()
	for _, id := range c.g.Subjects() {
		if d, _ := c.st.Decision(consent.SubjectID(id), now); d != consent.Permit || rest {
			c.g.RemoveSubject(id)
			s.Evicted++
		}
	}
	if rest && s.Evicted > 0 {
		if err := c.st.Append(audit.Event{Kind: audit.Command, Row: "D3", Action: "lease-over", Count: s.Evicted}); err != nil {
			return s, fmt.Errorf("sweeping: %w", err)
		}
	}
	before := len(c.g.Subjects())
	if err := c.loadAll(ctx); err != nil {
		return s, err
	}
	s.Loaded = len(c.g.Subjects()) - before
	var err error
	if s.Receipts, err = c.wipeEnded(); err != nil {
		return s, fmt.Errorf("sweeping: %w", err)
	}
	return s, nil
}

// wipeEnded destroys what the time for has certainly passed, unless it is so much that it waits.
func (c *Custody) wipeEnded() ([]store.Receipt, error) {
	c.mu.RLock()
	off, keep := c.off, c.keep
	c.mu.RUnlock()
	if off && keep.IsZero() { // a power cut came between the switch and the wipe
		return c.st.WipeAll("A16")
	}
	ended, held := c.ended()
	n := len(ended)
	all := off && keep.Reached(c.st.Certain())
	if all {
		n = held
	}
	ripe, err := c.ripe(n, held)
	switch {
	case err != nil || !ripe:
		return nil, err
	case all:
		return c.st.WipeAll("A16")
	}
	return c.st.Wipe(ended)
}

// ended lists, in a fixed order, who has templates and may not, and says how many have any.
func (c *Custody) ended() (ended []store.Ending, held int) {
	now := c.st.Certain()
	c.st.Standings(func(id consent.SubjectID, st store.Standing) bool {
		if d, rows := st.At(now); d == consent.Erase {
			ended = append(ended, store.Ending{Subject: id, Row: first(rows, "D3")})
		}
		return true
	})
	ended = slices.DeleteFunc(ended, func(e store.Ending) bool { return !c.st.HasFingerKey(e.Subject) })
	slices.SortFunc(ended, func(a, b store.Ending) int { return strings.Compare(string(a.Subject), string(b.Subject)) })
	return ended, c.st.FingerKeys()
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
func (c *Custody) SetBiometrics(ctx context.Context, on bool) ([]store.Receipt, error) {
	if on {
		return nil, c.turnOn(ctx)
	}
	return c.TurnOff(consent.Date{})
}

// TurnOff ends biometrics at the site. Fingers stop and the gallery is emptied at once; what is sealed stays sealed until keep, the
// first day on which it goes, or goes now if keep is unknown: so large an erasure may be a mistake, and the office is asked (H1).
func (c *Custody) TurnOff(keep consent.Date) ([]store.Receipt, error) {
	c.mu.Lock()
	c.off, c.keep = true, keep
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
	value := []byte(switchedOn)
	if !keep.IsZero() {
		value = []byte(keep.String())
	}
	if err := c.keepSetting(settingOff, value); err != nil {
		return nil, err
	}
	if !keep.IsZero() {
		return nil, nil
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

func (c *Custody) turnOn(ctx context.Context) error {
	if c.Biometrics() {
		return nil
	}
	c.write.Lock()
	defer c.write.Unlock()
	if err := c.keepSwitch(settingOff, false); err != nil {
		return err
	}
	c.mu.Lock()
	c.off, c.wiped, c.keep = false, false, consent.Date{}
	c.mu.Unlock()
	return c.loadAll(ctx) // of a switch that was taken back before anything was wiped
}
