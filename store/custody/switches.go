package custody

import (
	"errors"
	"fmt"
	"time"

	"github.com/tillprint/tillprint/store"
)

// Names of the settings that outlive a restart.
const (
	settingLease = "custody.lease"
	settingOff   = "custody.biometrics-off"
	settingBlock = "custody.block"
)

func (c *Custody) loadSwitches() error {
	lease, err := c.st.Setting(settingLease)
	if err == nil {
		err = c.lease.UnmarshalText(lease)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	c.kept = c.lease
	for _, b := range []struct {
		name string
		into *bool
	}{{settingOff, &c.off}, {settingBlock, &c.block}} {
		_, err := c.st.Setting(b.name)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		*b.into = err == nil
	}
	return nil
}

// SetLease lets fingers be matched until the given time, as the hub has signed it. An earlier time than before counts too: the hub
// may shorten a lease.
func (c *Custody) SetLease(until time.Time) error {
	c.mu.Lock()
	same := c.kept.Equal(until)
	c.lease = until
	c.mu.Unlock()
	if same {
		return nil
	}
	b, err := until.UTC().MarshalText()
	if err == nil {
		err = c.st.SetSetting(settingLease, b)
	}
	if err != nil {
		return fmt.Errorf("keeping the lease: %w", err)
	}
	c.mu.Lock()
	c.kept = until
	c.mu.Unlock()
	return nil
}

// Lease is the end of the lease; zero before the first.
func (c *Custody) Lease() time.Time {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.lease
}

// SetBlocked carries out the hub's block and unblock commands (H6): fingers stop, everything is kept.
func (c *Custody) SetBlocked(on bool) error {
	c.mu.Lock()
	c.block = on
	c.mu.Unlock()
	return c.keepSwitch(settingBlock, on)
}

func (c *Custody) keepSwitch(name string, on bool) error {
	var value []byte
	if on {
		value = []byte("on")
	}
	if err := c.st.SetSetting(name, value); err != nil {
		return fmt.Errorf("keeping %s: %w", name, err)
	}
	return nil
}

// Fingers reports whether fingers may be used at this terminal now. why is a sentence for the operator when they may not.
func (c *Custody) Fingers() (on bool, why string) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	now := c.st.Clock().Now()
	switch {
	case c.off:
		return false, "This site does not use fingerprints."
	case c.block:
		return false, "The hub has blocked fingerprints at this terminal."
	case c.lease.IsZero():
		return false, "This terminal has not heard from its hub yet: fingerprints start after the first contact."
	case !now.Before(c.lease):
		return false, "This terminal has not heard from its hub for too long: fingerprints rest until it does. PIN, name and cash go on."
	}
	return true, ""
}

// Biometrics is the site's mode (A16): without biometrics no sensor is opened.
func (c *Custody) Biometrics() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return !c.off
}
