package terminald

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/sync/terminal"
)

// lossTries is how often a key must have been found gone before the terminal believes it: a module may answer
// wrongly once.
const lossTries = 3

// opening opens the terminal's store, as often as it takes.
type opening struct {
	c     Config
	log   *slog.Logger
	o     store.Options
	trial func() bool // this version is on trial
	lost  int         // tries in a row that have found the key gone
}

// errUntried says why a store is left as it is.
var errUntried = errors.New("this version is on trial and leaves the store to the version before it, which runs again if this does not change")

// try opens the store. After the key has been found gone often enough it sets the old store aside and begins anew,
// since a terminal that waits for a key that nobody has would serve nobody by PIN ever again. A version on trial does not:
// it may be its own fault that it finds no key, and the version that it falls back to needs what it would destroy.
func (p *opening) try() (*store.Store, error) {
	p.o.Untried = p.trial()
	st, err := openStore(p.c, p.log, p.o)
	if err == nil || !lost(err) {
		p.lost = 0
		return st, err
	}
	if p.lost++; p.lost < lossTries {
		return nil, err
	}
	if p.o.Untried {
		return nil, fmt.Errorf("%w; %w", err, errUntried)
	}
	st, failed := p.beginAnew(err)
	if failed != nil {
		return nil, fmt.Errorf("%w; beginning anew failed: %w", err, failed)
	}
	return st, nil
}

// lost reports whether an error says that the root key, or what it opens, is gone, and not that something does not answer.
func lost(err error) bool {
	return errors.Is(err, keyslot.ErrNoKey) || errors.Is(err, store.ErrKey)
}

// hopeless reports whether there is nothing that a terminal could wait for while it takes cash.
func hopeless(err error) bool {
	return errors.Is(err, errNotJoined) || errors.Is(err, store.ErrInUse)
}

// beginAnew makes an empty store with new keys in place of one whose key is lost. The old files keep lying beside it
// under other names. A power cut in the middle is found at the next start, which has no store but knows its place.
func (p *opening) beginAnew(why error) (*store.Store, error) {
	place, err := terminal.ReadPlace(p.c.Store.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("this terminal does not know its hub any more: set its folder aside and join with a new code")
	}
	if err != nil {
		return nil, err
	}
	names, err := store.SetAside(p.c.Store.Dir, p.o, filepath.Base(p.c.slotPath()), filepath.Base(p.c.tpmPath()),
		filepath.Base(p.c.sharePath()), filepath.Base(p.c.seedPath()))
	if err != nil {
		return nil, err
	}
	if kind := p.c.firstKind(); kind != keyslot.KindFile { // a module keeps nothing aside
		if err := p.c.destroySlot(kind); err != nil && p.c.Keyslot.Kind != kindAuto {
			return nil, err
		}
	}
	slot, err := p.c.createFirst()
	if err != nil {
		return nil, err
	}
	st, err := terminal.Anew(place, why.Error(), p.c.Store.Dir, slot, p.o)
	if err != nil {
		return nil, err
	}
	p.log.Error("the key of the store is lost; the terminal begins anew and asks its hub to be let in again; tell the data protection officer (H16)",
		"why", why, "set aside", strings.Join(names, " "), "terminal", st.Identity().Terminal)
	return st, nil
}

// destroyAside kills the keys in key files that were set aside, once nothing can need them any more: what they open would
// otherwise outlive every later withdrawal.
func (c Config) destroyAside() error {
	files, err := filepath.Glob(c.slotPath() + ".aside-*")
	halves, _ := filepath.Glob(c.sharePath() + ".aside-*")
	for _, path := range append(files, halves...) {
		slot, openErr := keyslot.OpenFile(path, rand.Reader)
		switch {
		case errors.Is(openErr, keyslot.ErrNoKey): // it holds none, or is no key file at all
		case openErr != nil:
			err = errors.Join(err, openErr)
		default:
			err = errors.Join(err, slot.Destroy())
		}
	}
	return err
}

// pause is how long to wait before the next try, after so many.
func pause(tries int) time.Duration { return min(time.Second/2<<min(tries, 5), 10*time.Second) }
