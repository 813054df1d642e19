package store_test

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/keyslot"
)

// forgetful is a slot that gives back another key than it made.
type forgetful struct{ keyslot.Memory }

func (f *forgetful) Key(epoch uint64, dst []byte) error {
	err := f.Memory.Key(epoch, dst)
	dst[0] ^= 1
	return err
}

var errBroken = errors.New("broken")

// A slot that fails before the commit changes nothing; one that fails after it holds the key all the same. Cuts
// between the steps are tried with real slots where the daemon decides which of two it opens.
func TestMoveIntoABrokenSlot(t *testing.T) {
	failing := func(operation string) *keyslot.Memory {
		return &keyslot.Memory{Rand: rand.NewChaCha8([32]byte{2}), Fault: func(op string) error {
			if op == operation {
				return errBroken
			}
			return nil
		}}
	}
	for _, tc := range []struct {
		name string
		to   keyslot.Slot
		says string
		old  bool // the old slot still opens the store
	}{
		{"cannot make a key", failing("next"), "making a root key in the new slot", true},
		{"cannot give it back", failing("key"), "broken", true},
		{"gives back another", &forgetful{keyslot.Memory{Rand: rand.NewChaCha8([32]byte{3})}}, "another key than it made", true},
		{"cannot retire", failing("retire"), "the new slot opens the store", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t)
			ids := b.permit(2, 1)
			if err := b.st.Move(tc.to); err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Fatalf("%v", err)
			}
			epoch, err := store.TableEpoch(filepath.Join(b.dir, "store"))
			if want := uint64(2); err != nil || tc.old == (epoch == want) {
				t.Errorf("epoch %d, %v", epoch, err)
			}
			if len(held(t, b.st)) != 2 {
				t.Error("templates are lost")
			}
			if tc.old {
				b.withdraw(ids[0]) // wipes go on, in the old slot
				b.reopen()
				wantSound(t, b.st)
			}
		})
	}
}

// Wipes go on in the new slot, and the old one is empty.
func TestMoveAndWipe(t *testing.T) {
	b := newBench(t)
	ids := b.permit(2, 1)
	to := &keyslot.Memory{Rand: rand.NewChaCha8([32]byte{4})}
	if err := b.st.Move(to); err != nil {
		t.Fatal(err)
	}
	b.withdraw(ids[0])
	if err := b.st.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := openDir(b.dir, b.options()); !errors.Is(err, keyslot.ErrNoKey) {
		t.Errorf("the old slot: %v", err)
	}
	var err error
	if b.st, err = store.Open(filepath.Join(b.dir, "store"), to, testID, b.options()); err != nil {
		t.Fatal(err)
	}
	if got := held(t, b.st); len(got) != 1 || len(got[ids[1]]) != 1 || b.st.Epoch() != 3 {
		t.Errorf("%d subjects, epoch %d", len(got), b.st.Epoch())
	}
	wantSound(t, b.st)
}
