package custody

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
)

// Names of the settings that outlive a restart.
const (
	settingLease = "custody.lease"
	settingOff   = "custody.biometrics-off"
	settingBlock = "custody.block"
	settingMass  = "custody.mass"
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
	if err := c.loadPatience(); err != nil {
		return err
	}
	off, err := c.st.Setting(settingOff)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if c.off = err == nil; c.off && string(off) != switchedOn {
		if c.keep, err = consent.ParseDate(string(off)); err != nil {
			return err
		}
	}
	_, err = c.st.Setting(settingBlock)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	c.block = err == nil
	return nil
}

// leaseStep is by how much a lease may grow before the disk has to know. Every answer of the hub brings a longer lease; writing
// each would wear the card out.
const leaseStep = time.Hour

// SetLease lets fingers be matched until the given time, as the hub has signed it (D3, I7). An earlier time than before counts too: the hub
// may shorten a lease. The disk never holds a later end than the one that counts, so a restart can only narrow (I7), by leaseStep at most.
// After one that was over the gallery is filled again.
func (c *Custody) SetLease(until time.Time) error {
	c.mu.Lock()
	over := c.leaseOver()
	c.lease = until
	over = over && !c.leaseOver()
	due := c.leaseDue(until)
	c.mu.Unlock()
	if over {
		if err := c.Load(context.Background()); err != nil { // the next sweep tries again
			return err
		}
	}
	if !due {
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

// leaseDue reports whether the disk must hear of a lease: when it holds a later end, one that has become much too early, or
// one that is about to pass. The caller holds mu.
func (c *Custody) leaseDue(until time.Time) bool {
	nearlyOver := c.kept.Sub(c.st.Clock().Now()) < leaseStep && !until.Equal(c.kept)
	return until.Before(c.kept) || until.Sub(c.kept) >= leaseStep || nearlyOver
}

// leaseOver reports whether a lease has ended. Before the first there is none that could. The caller holds mu.
func (c *Custody) leaseOver() bool { return !c.lease.IsZero() && !c.st.Clock().Now().Before(c.lease) }

// resting is leaseOver for a caller that does not hold mu.
func (c *Custody) resting() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.leaseOver()
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

// switchedOn is what the disk holds for a switch that is on; settingOff may hold a date instead.
const switchedOn = "on"

func (c *Custody) keepSwitch(name string, on bool) error {
	var value []byte
	if on {
		value = []byte(switchedOn)
	}
	return c.keepSetting(name, value)
}

func (c *Custody) keepSetting(name string, value []byte) error {
	if err := c.st.SetSetting(name, value); err != nil {
		return fmt.Errorf("keeping %s: %w", name, err)
	}
	return nil
}

// Fingers reports whether fingers may be used at this terminal now. why is a sentence for the operator when they may not.
func (c *Custody) Fingers() (on bool, why string) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	switch {
	case c.off:
		return false, "This site does not use fingerprints."
	case c.block:
		return false, "The hub has blocked fingerprints at this terminal."
	case c.lease.IsZero():
		return false, "This terminal has not heard from its hub yet: fingerprints start after the first contact."
	case c.leaseOver():
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
