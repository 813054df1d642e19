package terminald

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tillprint/tillprint/device/zfm"
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

// errNothingDone says that the terminal is as it was.
var errNothingDone = errors.New("nothing was done")

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
	ended, tell, err := dispose(ctx, c, name)
	if err == nil {
		ended.Untold = tell(ctx)
	}
	return ended, err
}

// dispose is all of it but the hub, which tell tells with what is left of the signing key. An error that wraps errNothingDone
// leaves the terminal as it was.
func dispose(ctx context.Context, c Config, name string) (ended Ended, tell func(context.Context) error, err error) {
	st, err := openStore(c, slog.New(slog.DiscardHandler), store.Options{Command: "decommission"})
	if lost(err) {
		return Ended{}, nil, errors.Join(c.finishDisposal(), fmt.Errorf("no certificate can be signed, since the keys were gone before: %w", err))
	}
	if err != nil {
		return Ended{}, nil, fmt.Errorf("%w; %w", err, errNothingDone)
	}
	defer st.Close()
	if name != st.Identity().Terminal {
		return Ended{}, nil, fmt.Errorf("this is terminal %s, not %.40q; %w", st.Identity().Terminal, name, errNothingDone)
	}
	cert := disposal.Certificate{Identity: st.Identity(), At: st.Now(), Epoch: st.Epoch(), Promise: st.Promise()}
	cert.Applied, _ = st.Applied()
	if cert.Held, err = st.Inventory(); err != nil {
		return Ended{}, nil, fmt.Errorf("counting what is held: %w; %w", err, errNothingDone)
	}
	key, err := st.SigningKey()
	if err != nil {
		return Ended{}, nil, fmt.Errorf("reading the signing key: %w; %w", err, errNothingDone)
	}
	ended.Verifier = st.VerifierKey()
	place, unplaced := terminal.PlaceOf(st)
	cert.Sensor = c.sensorMemory(ctx)
	if ctx.Err() != nil {
		clear(key)
		return Ended{}, nil, fmt.Errorf("%w; %w", ctx.Err(), errNothingDone)
	}
	if err := c.destroyAll(st, &cert); err != nil {
		clear(key)
		return Ended{}, nil, err
	}
	if ended.Certificate, err = cert.Sign(key); err != nil {
		clear(key)
		return Ended{}, nil, err
	}
	return ended, func(ctx context.Context) error {
		defer clear(key)
		if unplaced != nil {
			return unplaced
		}
		return terminal.Farewell(ctx, place, key, ended.Certificate)
	}, nil
}

// destroyAll destroys keys and files, and notes in the certificate what was seen of it.
func (c Config) destroyAll(st *store.Store, cert *disposal.Certificate) error {
	use, err := c.use()
	if err != nil {
		return fmt.Errorf("%w; %w", err, errNothingDone)
	}
	if err := st.Destroy(); err != nil {
		return fmt.Errorf("%w; some keys may be left: run it again", err)
	}
	if cert.Keys, err = c.keysAfter(use); err != nil {
		return err
	}
	if cert.Files, err = disposal.Overwrite(c.Store.Dir, rand.Reader); err != nil {
		return fmt.Errorf("the keys are destroyed, and nothing can be opened any more, but %w: run it again", err)
	}
	return nil
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

// sensorTries is how often a module that does not answer is asked again.
const sensorTries = 4

// sensorMemory asks the module how many templates are in its own memory, which Tillprint never uses. The answer stands in the
// certificate as it is: there is no code here that could empty it.
func (c Config) sensorMemory(ctx context.Context) string {
	if c.Sensor.Port == "" {
		return "none is configured; its own memory was not looked at"
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	m, err := c.openModule(ctx)
	for tries := 0; errors.Is(err, zfm.ErrNoModule) && tries < sensorTries && ctx.Err() == nil; tries++ {
		m, err = c.openModule(ctx) // an image that was broken off is on the wire for some seconds
	}
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
