package terminal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/durable"
	"github.com/tillprint/tillprint/sync/register"
)

// Place is where a terminal belongs: its name, and how it knows its hub. It stands in clear beside the store, so that a
// terminal that has lost the key of its store still knows whom to ask. Nothing in it is secret, and nothing lets anybody
// in: see Anew.
type Place struct {
	Site     string `json:"site"`
	Terminal string `json:"terminal"`
	hubRecord
}

const (
	placeName = "place.json"
	maxPlace  = 8 << 10
)

// PlacePath is where the note lies in a store's folder.
func PlacePath(dir string) string { return filepath.Join(dir, placeName) }

// ReadPlace reads the note in a store's folder; the error wraps fs.ErrNotExist where there is none.
func ReadPlace(dir string) (Place, error) {
	path := PlacePath(dir)
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return Place{}, fmt.Errorf("reading where this terminal belongs: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPlace))
	if err != nil {
		return Place{}, fmt.Errorf("reading where this terminal belongs: %w", err)
	}
	p, err := parsePlace(b)
	if err != nil {
		return Place{}, fmt.Errorf("%s is damaged (%w): join the hub again with a new code", path, err)
	}
	return p, nil
}

func parsePlace(b []byte) (p Place, err error) {
	if err := json.Unmarshal(b, &p); err != nil {
		return Place{}, err
	}
	code := register.JoinCode{Site: p.Site, Hubs: p.Hubs, Token: "AAAAAAAAAAAAAAAAAAAAAAAAAAA"} // the rest of a code has the same bounds
	if err := code.Validate(); err != nil {
		return Place{}, err
	}
	if !register.ValidName(p.Terminal) || len(p.Pin) != len(code.Pin) {
		return Place{}, errors.New("it names no terminal, or no hub")
	}
	if _, err := register.NewVerifier(p.Site, p.Key); err != nil {
		return Place{}, err
	}
	return p, nil
}

// Write makes the note durable, unless it says this already.
func (p Place) Write(dir string) error {
	b, err := json.MarshalIndent(p, "", "\t")
	if err != nil {
		return fmt.Errorf("noting where this terminal belongs: %w", err)
	}
	path := PlacePath(dir)
	if old, err := os.ReadFile(path); err == nil && string(old) == string(b) {
		return nil
	}
	if err := durable.Replace(path, b); err != nil {
		return fmt.Errorf("noting where this terminal belongs: %w", err)
	}
	return nil
}

// ForgetPlace takes the note away: a terminal that was wiped on purpose does not ask to be let in again.
func ForgetPlace(dir string) error {
	if err := os.Remove(PlacePath(dir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forgetting where this terminal belongs: %w", err)
	}
	return durable.SyncDir(dir)
}

// PlaceOf is where the terminal belongs whose store this is.
func PlaceOf(st *store.Store) (Place, error) {
	p := Place{Site: st.Identity().Site, Terminal: st.Identity().Terminal}
	b, err := st.Secret(secretHub)
	if errors.Is(err, store.ErrNotFound) {
		return p, errors.New("this store has not joined a hub: join with a code from the hub's page")
	}
	if err != nil {
		return p, err
	}
	defer locked.Free(b)
	if err := json.Unmarshal(b, &p.hubRecord); err != nil || len(p.Hubs) == 0 {
		return p, errors.New("the store does not know its hub any more: set it aside and join again")
	}
	return p, nil
}
