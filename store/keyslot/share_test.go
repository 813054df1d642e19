package keyslot_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillprint/tillprint/store/keyslot"
)

// keeper is a hub that a test takes away.
type keeper struct {
	epoch uint64
	half  []byte
	away  bool
}

var errAway = errors.New("the hub cannot be reached")

func (k *keeper) Deposit(epoch uint64, half []byte) error {
	if k.away {
		return errAway
	}
	k.epoch, k.half = epoch, bytes.Clone(half)
	return nil
}

func (k *keeper) Fetch(epoch uint64) ([]byte, error) {
	if k.away {
		return nil, errAway
	}
	return keyslot.HalfOf(k.half, k.epoch, epoch)
}

func (k *keeper) Forget(epoch uint64) (err error) {
	if k.away {
		return errAway
	}
	k.half, err = keyslot.HalfOf(k.half, k.epoch, epoch)
	k.epoch = epoch
	return err
}

// A hub that is away stops no wipe, and afterwards neither an older copy of the card nor the older half opens anything.
func TestShareGoesOnWithoutItsKeeper(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyslot.hub")
	local, err := keyslot.CreateFile(path, rand.Reader)
	must(t, err)
	hub := &keeper{}
	s := keyslot.NewShare(local, hub)
	keys := make([][]byte, 6)
	for epoch := uint64(1); epoch <= 5; epoch++ {
		keys[epoch] = make([]byte, keyslot.KeySize)
		must(t, s.Next(epoch, keys[epoch]))
		back := make([]byte, keyslot.KeySize)
		must(t, s.Key(epoch, back))
		if !bytes.Equal(back, keys[epoch]) {
			t.Fatalf("epoch %d gives another key", epoch)
		}
		must(t, s.Retire(epoch))
		hub.away = true
	}
	old := bytes.Clone(hub.half)

	restarted := keyslot.NewShare(local, hub)
	back := make([]byte, keyslot.KeySize)
	if err := restarted.Key(5, back); !errors.Is(err, errAway) || errors.Is(err, keyslot.ErrNoKey) {
		t.Errorf("a start away from the hub: %v", err)
	}
	hub.away = false
	must(t, restarted.Key(5, back))
	if !bytes.Equal(back, keys[5]) {
		t.Error("after a restart another key")
	}
	if words, err := restarted.Health(); err != nil || !strings.Contains(words, "yet to forget") {
		t.Errorf("%q, %v", words, err)
	}
	must(t, restarted.Settle())
	if words, _ := restarted.Health(); strings.Contains(words, "yet to forget") || hub.epoch != 5 || bytes.Equal(hub.half, old) {
		t.Errorf("%q; the hub stands at epoch %d", words, hub.epoch)
	}
	if err := restarted.Key(4, back); !errors.Is(err, keyslot.ErrNoKey) {
		t.Errorf("a retired epoch: %v", err)
	}
	must(t, restarted.Destroy())
	if err := restarted.Key(5, back); !errors.Is(err, keyslot.ErrNoKey) {
		t.Errorf("destroyed: %v", err)
	}
}

// Both halves are needed: neither the same card with another half nor another card with the same half gives the key.
func TestShareNeedsBothHalves(t *testing.T) {
	make1 := func(hub *keeper) (*keyslot.Share, []byte) {
		local, err := keyslot.CreateFile(filepath.Join(t.TempDir(), "keyslot.hub"), rand.Reader)
		must(t, err)
		s, key := keyslot.NewShare(local, hub), make([]byte, keyslot.KeySize)
		must(t, s.Next(1, key))
		return keyslot.NewShare(local, hub), key
	}
	hub, other := &keeper{}, &keeper{}
	s, key := make1(hub)
	_, _ = make1(other)
	got := make([]byte, keyslot.KeySize)
	mine := hub.half
	hub.half = other.half
	must(t, s.Key(1, got))
	if bytes.Equal(got, key) {
		t.Error("another half gives the key")
	}
	empty, err := keyslot.CreateFile(filepath.Join(t.TempDir(), "keyslot.hub"), rand.Reader)
	must(t, err)
	hub.half = mine
	if err := keyslot.NewShare(empty, hub).Key(1, got); !errors.Is(err, keyslot.ErrNoKey) {
		t.Errorf("an empty card: %v", err)
	}
	if _, err := keyslot.HalfOf(mine, 9, 1); !errors.Is(err, keyslot.ErrNoKey) {
		t.Errorf("back in the chain: %v", err)
	}
	if _, err := keyslot.HalfOf(mine, 1, 1<<60); !errors.Is(err, keyslot.ErrNoKey) {
		t.Errorf("without end: %v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
