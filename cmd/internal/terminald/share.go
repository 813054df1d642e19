package terminald

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/tillprint/tillprint/store/durable"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/sync/terminal"
)

// The slot hub has two files beside the store: the local halves, and the seed of the key by which the hub knows this
// card before its store is open. Together they open nothing without the hub.
func (c Config) sharePath() string { return filepath.Join(c.Store.Dir, "keyslot.hub") }
func (c Config) seedPath() string  { return filepath.Join(c.Store.Dir, "keyslot.hub.seed") }

// openShare opens the slot hub without asking the hub anything yet. own is the terminal's own key, nil where its store is
// not open.
func (c Config) openShare(own ed25519.PrivateKey) (keyslot.Slot, error) {
	local, err := keyslot.OpenFile(c.sharePath(), rand.Reader)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(c.seedPath(), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w; without it the hub does not know this card", keyslot.ErrNoKey, err)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the key by which the hub knows this card: %w", err)
	}
	defer f.Close()
	seed, err := io.ReadAll(io.LimitReader(f, ed25519.SeedSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading the key by which the hub knows this card: %w", err)
	}
	defer clear(seed)
	place, err := terminal.ReadPlace(c.Store.Dir)
	if err != nil {
		return nil, err
	}
	keeper, err := terminal.NewKeeper(place, seed, own)
	if err != nil {
		return nil, err
	}
	return keyslot.NewShare(local, keeper), nil
}

// createShare makes the slot hub for a terminal whose store is open: the hub takes half of a key only from one that it knows.
// own is its key.
func (c Config) createShare(own ed25519.PrivateKey) (keyslot.Slot, error) {
	seed := make([]byte, ed25519.SeedSize)
	defer clear(seed)
	if _, err := io.ReadFull(rand.Reader, seed); err != nil {
		return nil, fmt.Errorf("drawing a key: %w", err)
	}
	if err := durable.Replace(c.seedPath(), seed); err != nil {
		return nil, fmt.Errorf("keeping the key by which the hub knows this card: %w", err)
	}
	if _, err := keyslot.CreateFile(c.sharePath(), rand.Reader); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return c.openShare(own)
}
