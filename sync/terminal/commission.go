package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/sync/register"
)

const settingCommission = "sync.commission" // register.Commission as JSON; none before the first step

// Mode is how far the hub has commissioned this terminal (N1).
func (c *Client) Mode() register.Mode {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mode
}

// Fingers reports whether fingers may be used at this terminal now, and if not, why, in a sentence for the operator.
func (c *Client) Fingers() (on bool, why string) {
	switch c.Mode() {
	case register.ModeOff:
		return false, "This terminal has not been commissioned yet: it takes cash. The office does that on its page."
	case register.ModePIN:
		return false, "This terminal is commissioned for PINs, not for fingerprints."
	}
	return c.o.Custody.Fingers()
}

// recallMode reads the mode from the store. What cannot be read, or does not prove itself, is off; where the mode is not
// fingers there are none, whatever an earlier version has left.
func (c *Client) recallMode() error {
	c.mode = register.ModeOff
	b, err := c.o.Store.Setting(settingCommission)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	var known register.Commission
	if err == nil && json.Unmarshal(b, &known) == nil && known.Check() == nil {
		c.mode = known.Mode
	}
	if c.mode == register.ModeFingers || c.o.Untried && c.mode == register.ModeOff {
		return nil
	}
	_, err = c.o.Custody.SetBiometrics(context.Background(), false)
	return err
}

// planned is whether fingers are in use at this terminal once a plan is carried out: the site wants them, and the terminal
// has been commissioned for them. changed says that the plan speaks of it, and keep until when what is sealed stays although they are not:
// only where the site's switch may be a mistake, see register.Profile.
func (c *Client) planned(plan register.Plan) (on bool, keep consent.Date, changed bool) {
	mode := c.Mode()
	if plan.Commission != nil {
		mode = plan.Commission.Mode
	}
	var site register.Profile
	if plan.Profile != nil {
		site = *plan.Profile
	} else {
		site, _ = c.Profile()
	}
	if mode == register.ModeFingers {
		on, keep = site.Biometrics, site.Keep
	}
	return on, keep, plan.Profile != nil || plan.Commission != nil
}

// noteCommission keeps a new commission.
func (c *Client) noteCommission(next *register.Commission) error {
	if next == nil {
		return nil
	}
	b, err := json.Marshal(next)
	if err == nil {
		err = c.o.Store.SetSetting(settingCommission, b)
	}
	if err != nil {
		return fmt.Errorf("keeping how far this terminal is commissioned: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mode = next.Mode
	return nil
}
