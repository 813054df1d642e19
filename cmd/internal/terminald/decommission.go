package terminald

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/disposal"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/sync/terminal"
)

// Ended is what is left of a terminal that was decommissioned.
type Ended struct {
	Certificate string
	Verifier    string // the key that verifies it
	Untold      error  // why the hub does not know yet; nil if it does
}

// Decommission ends the terminal of a configuration for good. name is the
// terminal's own, as a confirmation. No daemon may run. The order, and what a power cut leaves:
//
//	sensor's memory counted       nothing has happened
//	keys destroyed, looked at     nothing in the store can be opened any more, anywhere; it has to be run again for the rest
//	files overwritten, removed    likewise
//	certificate signed            the hub does not know yet
//	hub told                      done
//
// The signing key is gone with the others. So a run that takes up an earlier one finishes the work and says so in an error
// instead of a certificate.
func Decommission(ctx context.Context, c Config, name string) (Ended, error) {
	st, err := openStore(c, slog.New(slog.DiscardHandler), store.Options{Command: "decommission"})
	if lost(err) {
		return Ended{}, errors.Join(c.finishDisposal(), fmt.Errorf("no certificate can be signed, since the keys were gone before: %w", err))
	}
	if err != nil {
		return Ended{}, err
	}
	defer st.Close()
	if name != st.Identity().Terminal {
		return Ended{}, fmt.Errorf("this is terminal %s, not %.40q; nothing was done", st.Identity().Terminal, name)
	}
	cert := disposal.Certificate{Identity: st.Identity(), At: st.Now(), Epoch: st.Epoch(), Promise: st.Promise()}
	cert.Applied, _ = st.Applied()
	if cert.Held, err = st.Inventory(); err != nil {
		return Ended{}, fmt.Errorf("counting what is held: %w; nothing was done", err)
	}
	key, err := st.SigningKey()
	if err != nil {
		return Ended{}, fmt.Errorf("reading the signing key: %w; nothing was done", err)
	}
	defer clear(key)
	ended := Ended{Verifier: st.VerifierKey()}
	place, unplaced := terminal.PlaceOf(st)
	cert.Sensor = c.sensorMemory(ctx)
	use, err := c.use()
	if err != nil {
		return Ended{}, err
	}
	if err := st.Destroy(); err != nil {
		return Ended{}, fmt.Errorf("%w; some keys may be left: run it again", err)
	}
	if cert.Keys, err = c.keysAfter(use); err != nil {
		return Ended{}, err
	}
	if cert.Files, err = disposal.Overwrite(c.Store.Dir, rand.Reader); err != nil {
		return Ended{}, fmt.Errorf("the keys are destroyed, and nothing can be opened any more, but %w: run it again", err)
	}
	if ended.Certificate, err = cert.Sign(key); err != nil {
		return Ended{}, err
	}
	if ended.Untold = unplaced; unplaced == nil {
		ended.Untold = terminal.Farewell(ctx, place, key, ended.Certificate)
	}
	return ended, nil
}

// keysAfter destroys what an interrupted move may have left in another slot, and sees that the store does not open.
func (c Config) keysAfter(use keyslot.Use) (string, error) {
	if use.From != "" {
		if err := c.destroySlot(use.From); err != nil {
			return "", fmt.Errorf("destroying the keys in the slot %s: %w; run it again", use.From, err)
		}
	}
	st, err := openWith(c, use.Kind, store.Options{Command: "decommission"})
	if err == nil {
		return "", errors.Join(errors.New("the store still opens after its keys were destroyed: destroy the card, and tell the maker"), st.Close())
	}
	return fmt.Sprintf("destroyed in the slot %s; the store was tried afterwards and does not open", use.Kind), nil
}

// finishDisposal does what is left after the keys are gone.
func (c Config) finishDisposal() error {
	n, err := disposal.Overwrite(c.Store.Dir, rand.Reader)
	if err != nil {
		return err
	}
	return fmt.Errorf("%d files were overwritten and removed", n)
}

// sensorMemory asks the module how many templates are in its own memory, which Tillprint never uses. The answer stands in the
// certificate as it is: there is no code here that could empty it.
func (c Config) sensorMemory(ctx context.Context) string {
	if c.Sensor.Port == "" {
		return "none is configured; its own memory was not looked at"
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	m, err := c.openModule(ctx)
	if err != nil {
		return "its own memory could not be looked at: " + err.Error()
	}
	defer m.Close()
	n, err := m.TemplateCount(ctx)
	switch {
	case err != nil:
		return "its own memory could not be looked at: " + err.Error()
	case n > 0:
		return fmt.Sprintf("NOT EMPTY: its own memory holds %d templates, which this terminal has never stored; destroy the module", n)
	}
	return "its own memory was looked at and holds 0 templates"
}
