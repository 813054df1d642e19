package terminald

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/sync/terminal"
)

// DestroyKeys kills the root keys, in every slot that may hold one: nothing that is on the card can be opened ever again
// (L1), and the terminal does not ask to be let in again. No daemon may be running. A store that is damaged loses its keys
// all the same; a folder without a store has none. It returns the slots that were emptied.
func DestroyKeys(c Config, log *slog.Logger) ([]string, error) {
	if !c.joined() && !exists(c.slotPath()) && !exists(c.tpmPath()) {
		return nil, nil
	}
	st, err := openStore(c, log, store.Options{Command: "keyslot-destroy"})
	if errors.Is(err, store.ErrInUse) {
		return nil, err
	}
	if err == nil {
		if err := st.Destroy(); err != nil { // what is in memory goes, too
			return nil, err
		}
	}
	use, err := keyslot.ReadUse(c.Store.Dir)
	if err != nil {
		log.Warn("where the keys were moved to cannot be read; the configured slot is emptied", "err", err)
	}
	kinds := []string{c.configuredKind(), keyslot.KindFile, use.Kind, use.From}
	if c.Keyslot.Kind == kindAuto && exists(c.tpmPath()) { // whether the note can be read or not
		kinds = append(kinds, keyslot.KindTPM)
	}
	slices.Sort(kinds)
	kinds = slices.DeleteFunc(slices.Compact(kinds), func(k string) bool { return k == "" })
	for _, kind := range kinds {
		if err := c.destroySlot(kind); err != nil {
			return nil, fmt.Errorf("destroying the keys in the slot %s: %w", kind, err)
		}
	}
	return kinds, errors.Join(c.destroyAside(), terminal.ForgetPlace(c.Store.Dir))
}
