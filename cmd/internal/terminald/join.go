package terminald

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/durable"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/sync/terminal"
)

// Join makes this device a terminal of the site that code is for, and its
// empty store. wish is the name that the terminal would like to have.
func Join(ctx context.Context, c Config, code, wish string) (store.Identity, error) {
	a, slot, err := c.apply(code, wish)
	if err != nil {
		return store.Identity{}, err
	}
	defer a.Clear()
	st, err := a.Join(ctx, c.Store.Dir, slot, store.Options{Command: "join"})
	if err != nil {
		return store.Identity{}, err
	}
	return c.settleIn(st)
}

// JoinRequest is Join without a network, its first half: what to carry to the hub in a file. The keys stay here, sealed under
// the key slot, until the answer comes.
func JoinRequest(c Config, code, wish string) ([]byte, error) {
	a, _, err := c.apply(code, wish)
	if err != nil {
		return nil, err
	}
	defer a.Clear()
	in, err := a.Request()
	if err != nil {
		return nil, err
	}
	return json.Marshal(in)
}

// JoinFrom is the second half: the hub's answer, carried back.
func JoinFrom(ctx context.Context, c Config, answer []byte) (store.Identity, error) {
	if c.joined() {
		return store.Identity{}, fmt.Errorf("%s holds a store already: the answer is not needed", c.Store.Dir)
	}
	a, slot, err := c.applicant()
	if errors.Is(err, fs.ErrNotExist) {
		return store.Identity{}, errors.New("this terminal has made no request: 'tillprintd join CODE --request FILE' makes one")
	}
	if err != nil {
		return store.Identity{}, err
	}
	defer a.Clear()
	st, err := a.JoinFrom(ctx, answer, c.Store.Dir, slot, store.Options{Command: "join"})
	if err != nil {
		return store.Identity{}, err
	}
	return c.settleIn(st)
}

// apply draws the keys with which this device asks to be let in, or finds those with which it has asked with the same code
// before: a hub answers only them again, so a power cut does not waste the code.
func (c Config) apply(code, wish string) (*terminal.Applicant, keyslot.Slot, error) {
	if err := os.MkdirAll(c.Store.Dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("making the store's folder: %w", err)
	}
	if c.joined() {
		return nil, nil, fmt.Errorf("making a store: %s holds one already: run 'tillprintd run', or set it aside first; the code was not used", c.Store.Dir)
	}
	a, err := terminal.Apply(code, wish, nil)
	if err != nil {
		return nil, nil, err
	}
	if before, slot, err := c.applicant(); err == nil && before.Code.Token == a.Code.Token {
		a.Clear()
		return before, slot, nil
	}
	slot, err := c.createFirst() // a note about keys that were moved belongs to a store that is gone
	if err != nil {
		return nil, nil, err
	}
	return a, slot, c.keepApplicant(a, slot)
}

// settleIn does what follows when the store is there. A cut before its end costs nothing: the next start does the rest.
func (c Config) settleIn(st *store.Store) (store.Identity, error) {
	defer st.Close()
	place, err := terminal.PlaceOf(st)
	if err == nil {
		err = place.Write(c.Store.Dir)
	}
	if err == nil {
		_, err = terminal.CalibratePINs(st, measurePIN)
	}
	if err != nil {
		return store.Identity{}, err
	}
	if err := os.Remove(c.applicantPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return store.Identity{}, fmt.Errorf("forgetting the request to join: %w", err)
	}
	if err := durable.SyncDir(c.Store.Dir); err != nil {
		return store.Identity{}, err
	}
	if c.Keyslot.Kind == keyslot.KindHub { // which is of use to a terminal that the hub knows
		if err := migrate(c, st, c.Keyslot.Kind, store.Options{}); err != nil {
			return store.Identity{}, fmt.Errorf("this is %v now, but its key is still in the slot %s: %w; try 'tillprintd keyslot migrate --to %s'", st.Identity(), c.firstKind(), err, c.Keyslot.Kind)
		}
	}
	return st.Identity(), nil
}
