package custody

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
)

const (
	// massWait is how long this terminal must have run, as it sees time pass, before dates wipe more than a few at once.
	massWait = 24 * time.Hour
	// massStep is the most of that which one sweep adds: sweeps run every minute, and a clock that is set in between does not shorten the wait.
	massStep = 10 * time.Minute
)

// patience is how long a wipe of many by dates has waited. The disk knows it to massStep.
type patience struct {
	Waited time.Duration `json:"waited"`
	Last   time.Time     `json:"last"` // the certain time when it was last looked at; zero when nothing waits
	saved  time.Duration
}

func (c *Custody) loadPatience() error {
	b, err := c.st.Setting(settingMass)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(b, &c.wait)
	}
	if err != nil {
		return fmt.Errorf("reading how long a large wipe has waited: %w", err)
	}
	c.wait.saved = c.wait.Waited
	c.st.DatesWait(true)
	return nil
}

// ripe decides whether dates may wipe n of the subjects held now. So many at once that it may be a mistake wait for a day: the hub's
// clock may have jumped, and with it every date in this terminal would be reached (H1). They are not matched meanwhile, and a word of the
// hub about each of them, which is applied elsewhere, ends the wait. The caller holds write.
func (c *Custody) ripe(n, held int) (bool, error) {
	mass := consent.Profile{}.Mass(n, held)
	c.mu.Lock()
	if c.dated = 0; mass {
		c.dated = n
	}
	c.mu.Unlock()
	if !mass {
		return true, c.endWait()
	}
	return c.goOnWaiting()
}

// endWait ends a wait, if there was one.
func (c *Custody) endWait() error {
	if c.wait.Last.IsZero() {
		return nil
	}
	c.wait = patience{}
	c.st.DatesWait(false)
	return c.keepSetting(settingMass, nil)
}

// goOnWaiting begins a wait or goes on with it, and reports whether it is over.
func (c *Custody) goOnWaiting() (bool, error) {
	now := c.st.Certain()
	begins := c.wait.Last.IsZero()
	if !begins {
		c.wait.Waited += min(max(0, now.Sub(c.wait.Last)), massStep)
	}
	c.wait.Last = now
	c.st.DatesWait(true)
	if begins || c.wait.Waited-c.wait.saved >= massStep {
		b, err := json.Marshal(c.wait)
		if err == nil {
			err = c.keepSetting(settingMass, b)
		}
		if err != nil {
			return false, err
		}
		c.wait.saved = c.wait.Waited
	}
	return c.wait.Waited >= massWait, nil
}

// Waiting says for the operator's page how many subjects' fingers rest because an erasure of so many may be a mistake, and the office has
// been asked; empty when none do.
func (c *Custody) Waiting() string {
	c.mu.RLock()
	n := c.dated
	c.mu.RUnlock()
	c.st.Standings(func(_ consent.SubjectID, st store.Standing) bool {
		if st.Decision == consent.Pause && len(st.Reasons) > 0 && st.Reasons[len(st.Reasons)-1] == "H1" {
			n++
		}
		return true
	})
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d people's fingers rest: so many are to be erased at once that it may be a mistake; the office is asked", n)
}
