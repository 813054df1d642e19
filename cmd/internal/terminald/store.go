package terminald

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/store/pin"
	"github.com/tillprint/tillprint/sync/terminal"
)

// openStore opens the terminal's store with the slot that holds its key: the one that the configuration names, unless
// the keys were moved since.
func openStore(c Config, log *slog.Logger, o store.Options) (*store.Store, error) {
	use, err := c.use()
	if err != nil {
		return nil, err
	}
	if use.From != "" {
		return openMoving(c, use, log, o)
	}
	st, err := openWith(c, use.Kind, o)
	if err == nil && c.Keyslot.Kind != kindAuto && use.Kind != c.Keyslot.Kind {
		log.Warn("the configuration names another key slot than the one that the keys were moved to", "keyslot.kind", c.Keyslot.Kind, "holds the keys", use.Kind)
	}
	return st, err
}

// use is where the keys are. A terminal that has not joined has none.
func (c Config) use() (keyslot.Use, error) {
	if !c.joined() && exists(terminal.PlacePath(c.Store.Dir)) { // a cut came while it began anew
		return keyslot.Use{}, fmt.Errorf("%w: the store in %s was set aside", store.ErrKey, c.Store.Dir)
	}
	if !c.joined() {
		return keyslot.Use{}, fmt.Errorf("%w: get a join code from the office and run 'tillprintd join CODE' (no store in %s: %w)", errNotJoined, c.Store.Dir, fs.ErrNotExist)
	}
	use, err := keyslot.ReadUse(c.Store.Dir)
	if use.Kind == "" {
		use.Kind = c.configuredKind()
	}
	return use, err
}

var errNotJoined = errors.New("this terminal has not joined a hub")

// joined reports whether there is a store, perhaps one that has lost a file.
func (c Config) joined() bool {
	return exists(filepath.Join(c.Store.Dir, "keytable")) || exists(filepath.Join(c.Store.Dir, "records.db"))
}

func openWith(c Config, kind string, o store.Options) (*store.Store, error) {
	slot, err := c.openSlot(kind)
	if err != nil {
		return nil, err
	}
	st, err := store.Open(c.Store.Dir, slot, store.Identity{}, o)
	if !errors.Is(err, store.ErrUnnamed) {
		return st, err
	}
	place, unknown := terminal.ReadPlace(c.Store.Dir)
	if unknown != nil {
		return nil, errors.Join(err, unknown)
	}
	return store.Open(c.Store.Dir, slot, store.Identity{Site: place.Site, Terminal: place.Terminal}, o)
}

// openMoving opens a store whose move to another slot was interrupted. Exactly one of the two opens the key table; the
// keys of the other one are destroyed, so that no copy of the table under them can be opened later.
func openMoving(c Config, use keyslot.Use, log *slog.Logger, o store.Options) (*store.Store, error) {
	holds, other := use.Kind, use.From
	st, err := openWith(c, holds, o)
	if err != nil {
		var second error
		if st, second = openWith(c, other, o); second != nil {
			if lost(err) { // the key is gone only if both slots say so
				err, second = second, err
			}
			return nil, fmt.Errorf("the root keys were being moved from %s to %s, and neither opens the store: %w; the other: %v", use.From, use.Kind, err, second)
		}
		holds, other = other, holds
	}
	if o.Untried { // the version before this one reads the note, and settles it
		return st, nil
	}
	if err := settle(c, holds, other); err != nil {
		log.Warn("an interrupted move of the root keys is not finished; it is tried again at the next start, and until then a wipe may not reach copies in the other slot",
			"holds the keys", holds, "other", other, "err", err)
	}
	return st, nil
}

// settle ends a move: the other slot's keys die, then the note goes that speaks of them.
func settle(c Config, holds, other string) error {
	if err := c.destroySlot(other); err != nil {
		return fmt.Errorf("destroying the keys in the slot %s: %w", other, err)
	}
	return keyslot.Use{Kind: holds}.Write(c.Store.Dir)
}

// measurePIN takes the time on this machine.
func measurePIN(c pin.Cost) time.Duration { return c.Measure(time.Now) }

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
