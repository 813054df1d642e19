package terminal

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/sync/register"
)

// halved is a terminal of which the hub keeps half of the key.
type halved struct {
	*till
	place Place
	seed  []byte
}

func (s *school) halved(name string) *halved {
	s.t.Helper()
	h := &halved{till: s.join(name), seed: make([]byte, ed25519.SeedSize)}
	rand.Read(h.seed)
	var err error
	if h.place, err = PlaceOf(h.st); err != nil {
		s.t.Fatal(err)
	}
	if _, err := keyslot.CreateFile(filepath.Join(h.dir, "keyslot.hub"), rand.Reader); err != nil {
		s.t.Fatal(err)
	}
	if err := h.st.Move(h.share(h.dir, h.seed)); err != nil {
		s.t.Fatal(err)
	}
	return h
}

// share is the slot as a start finds it on the card in dir.
func (h *halved) share(dir string, seed []byte) *keyslot.Share {
	h.t.Helper()
	local, err := keyslot.OpenFile(filepath.Join(dir, "keyslot.hub"), rand.Reader)
	if err != nil {
		h.t.Fatal(err)
	}
	identity, _ := h.st.SigningKey() // none while the store is closed
	keeper, err := NewKeeper(h.place, seed, identity)
	if err != nil {
		h.t.Fatal(err)
	}
	return keyslot.NewShare(local, keeper)
}

// start opens the store on the card in dir.
func (h *halved) start(dir string, seed []byte) error {
	st, err := store.Open(filepath.Join(dir, "store"), h.share(dir, seed), store.Identity{}, h.options())
	if err == nil {
		h.st = st
	}
	return err
}

// TestAStolenTerminalOpensNothing: away from its hub a terminal opens nothing; a wipe goes on while the hub is away; a copy of the
// card from before it opens nothing once the hub has been told; and nor does the card itself once the hub has ordered it wiped.
func TestAStolenTerminalOpensNothing(t *testing.T) {
	s := newSchool(t)
	pupils := s.pupils(2)
	hall := s.halved("hall")
	hall.run()
	hall.await("current", hall.current)
	hall.stopAll()
	s.break_(unplugged)
	if err := hall.start(hall.dir, hall.seed); err == nil || errors.Is(err, keyslot.ErrNoKey) {
		t.Fatalf("away from the hub: %v", err)
	}
	s.break_(nil)
	if err := hall.start(hall.dir, make([]byte, ed25519.SeedSize)); err == nil {
		t.Fatal("the hub answers one who does not have the card's seed")
	}
	if err := hall.start(hall.dir, hall.seed); err != nil {
		t.Fatal(err)
	}
	copied := scratch(t)
	if err := errors.Join(os.CopyFS(copied, os.DirFS(hall.dir)), os.Chmod(filepath.Join(copied, "keyslot.hub"), 0o600)); err != nil {
		t.Fatal(err)
	}

	s.break_(unplugged)
	hall.prepare()
	for n, p := range pupils {
		hall.keep(p.Subject, uint64(n), hall.st.Now())
	}
	epoch := hall.st.Epoch()
	for _, p := range pupils { // two epochs on, and the hub knows of none
		if _, err := hall.st.Refuse(p.Subject, "op-1"); err != nil || hall.st.HasFingerKey(p.Subject) {
			t.Fatalf("no wipe without the hub: %v", err)
		}
	}
	if hall.st.Epoch() != epoch+2 {
		t.Fatal("nothing was wiped")
	}
	if err := hall.st.SettleSlot(); err == nil {
		t.Error("settled without the hub")
	}
	s.break_(nil)
	if err := hall.st.SettleSlot(); err != nil {
		t.Fatal(err)
	}
	if err := hall.st.Close(); err != nil {
		t.Fatal(err)
	}
	if err := hall.start(copied, hall.seed); !errors.Is(err, keyslot.ErrRolledBack) {
		t.Errorf("the copy from before the wipe: %v", err)
	}
	if err := hall.start(hall.dir, hall.seed); err != nil {
		t.Fatal(err)
	}
	hall.st.Close()
	if err := s.hub.Command(t.Context(), siteID, "office", "hall", register.Command{Do: register.Wipe}); err != nil {
		t.Fatal(err)
	}
	if err := hall.start(hall.dir, hall.seed); !errors.Is(err, keyslot.ErrNoKey) {
		t.Errorf("ordered wiped: %v", err)
	}
}
