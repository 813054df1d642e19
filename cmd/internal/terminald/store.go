package terminald

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/sync/terminal"
)

func (c Config) slotPath() string { return filepath.Join(c.Store.Dir, "keyslot") }

// openStore opens the terminal's store and its key slot.
func openStore(c Config, o store.Options) (*store.Store, error) {
	slot, err := keyslot.OpenFile(c.slotPath(), rand.Reader)
	if errors.Is(err, fs.ErrNotExist) && !exists(filepath.Join(c.Store.Dir, "keytable")) {
		return nil, fmt.Errorf("this terminal has not joined a hub: get a join code from the office and run 'tillprintd join CODE' (%w)", err)
	}
	if err != nil {
		return nil, err
	}
	return store.Open(c.Store.Dir, slot, store.Identity{}, o)
}

// Join makes this device a terminal of the site that code is for, and its
// empty store. wish is the name that the terminal would like to have.
func Join(ctx context.Context, c Config, code, wish string) (store.Identity, error) {
	if err := os.MkdirAll(c.Store.Dir, 0o700); err != nil {
		return store.Identity{}, fmt.Errorf("making the store's folder: %w", err)
	}
	slot, err := keyslot.CreateFile(c.slotPath(), rand.Reader)
	if errors.Is(err, fs.ErrExist) {
		slot, err = keyslot.OpenFile(c.slotPath(), rand.Reader) // left by a join that the hub did not answer
	}
	if err != nil {
		return store.Identity{}, err
	}
	st, err := terminal.Join(ctx, code, wish, c.Store.Dir, slot, store.Options{})
	if err != nil {
		return store.Identity{}, err
	}
	return st.Identity(), st.Close()
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
