package terminald

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/keyslot"
)

// Steps of MigrateKeyslot beside those of store.Move, for tests that cut the power there.
const (
	stepNoted   = "noted"   // both slots stand in the note: the old one opens the store
	stepSettled = "settled" // the note names the new slot only
)

// MigrateKeyslot moves the root key to the slot of another kind, while no daemon runs. The order, and what a start after
// a power cut does (the store says which slot opens it after each of its own steps):
//
//	new slot emptied and made        nothing has happened
//	note {new, from old}   noted     both are tried; the one that does not open the store loses its keys
//	store.Move                       likewise
//	note {new}             settled   the new slot is used, whatever the configuration says
func MigrateKeyslot(c Config, to string, log *slog.Logger, o store.Options) error {
	if !keyslot.KnownKind(to) {
		return fmt.Errorf("%.40q is no key slot; use %s", to, keyslot.Kinds)
	}
	st, err := openStore(c, log, o)
	if err != nil {
		return err
	}
	return errors.Join(migrate(c, st, to, o), st.Close())
}

func migrate(c Config, st *store.Store, to string, o store.Options) error {
	use, err := c.use()
	switch {
	case err != nil:
		return err
	case use.From != "":
		return errors.New("an earlier move is not finished, since one of its slots does not answer: make it answer, then try again")
	case use.Kind == to:
		return fmt.Errorf("the root key is in the slot %s already", to)
	}
	// What an earlier store, or a move that was cut, has left there.
	if err := c.destroySlot(to); err != nil {
		return fmt.Errorf("emptying the slot %s: %w", to, err)
	}
	own, err := st.SigningKey()
	if err != nil {
		return err
	}
	defer clear(own)
	slot, err := c.slotFor(to, own)
	if err != nil {
		return fmt.Errorf("preparing the slot %s: %w", to, err)
	}
	if err := (keyslot.Use{Kind: to, From: use.Kind}).Write(c.Store.Dir); err != nil {
		return err
	}
	step(o, stepNoted)
	if err := st.Move(slot); err != nil {
		return fmt.Errorf("moving the root key to %s: %w; the next start uses whichever slot opens the store", to, err)
	}
	if err := settle(c, to, use.Kind); err != nil {
		return err
	}
	step(o, stepSettled)
	return nil
}

// slotFor makes the slot to which the keys of an open store are moved.
func (c Config) slotFor(kind string, own ed25519.PrivateKey) (keyslot.Slot, error) {
	if kind == keyslot.KindHub {
		return c.createShare(own)
	}
	return c.createSlot(kind)
}

func step(o store.Options, name string) {
	if o.OnStep != nil {
		o.OnStep(name)
	}
}

// KeyslotState is what the slot with the root key is, whether it works, and what it promises.
type KeyslotState struct {
	Kind       string `json:"kind"`
	Elsewhere  string `json:"elsewhere,omitempty"` // how that differs from the configuration
	Health     string `json:"health"`
	Epoch      uint64 `json:"epoch"`
	Promise    string `json:"promise"`
	unfinished bool   // a move between slots was interrupted
}

// ReadKeyslot looks at the slot. It changes nothing and works beside a running daemon.
func ReadKeyslot(c Config) (s KeyslotState, err error) {
	use, err := c.use()
	if err != nil {
		return s, err
	}
	s.Kind = use.Kind
	if use.From != "" {
		s.Elsewhere, s.unfinished = fmt.Sprintf(", to which a move from %s was interrupted; the next start settles it", use.From), true
	} else {
		s.Elsewhere = c.elsewhere(use.Kind)
	}
	slot, err := c.openSlot(use.Kind)
	if err != nil {
		return s, err
	}
	s.Promise = slot.Promise()
	if s.Health, err = slot.Health(); err != nil {
		return s, err
	}
	if s.Epoch, err = store.TableEpoch(c.Store.Dir); err != nil {
		return s, err
	}
	key := make([]byte, keyslot.KeySize)
	defer clear(key)
	return s, slot.Key(s.Epoch, key)
}

// KeyslotStatus writes the slot's state as far as it could be found out.
func KeyslotStatus(c Config, w io.Writer) error {
	s, err := ReadKeyslot(c)
	if s.Kind != "" {
		fmt.Fprintf(w, "slot:    %s%s\n", s.Kind, s.Elsewhere)
	}
	if s.Health != "" {
		fmt.Fprintf(w, "health:  %s\n", s.Health)
	}
	if err == nil {
		fmt.Fprintf(w, "key:     that of epoch %d is there\npromise: %s\n", s.Epoch, s.Promise)
	}
	return err
}
