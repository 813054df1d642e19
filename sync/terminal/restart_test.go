package terminal

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/keyslot"
)

// TestABootIn1970 is a board without a clock and without network time: it joins, is served by the hub's signed time, and after
// another boot in 1970 with the hub away it goes on with fingers and PINs until the lease ends.
func TestABootIn1970(t *testing.T) {
	s := newSchool(t)
	pupil := s.pupils(1)[0]
	hall := s.joinAs("hall", func(tl *till) { tl.ahead.Store(int64(time.Until(time.Unix(0, 0)))) }).run()
	hall.await("current", hall.current)
	if now := hall.st.Clock().Now(); time.Since(now).Abs() > time.Minute || !hall.st.Clock().Trusted() {
		t.Errorf("the terminal's time is %v", now)
	}
	hall.enrol(pupil.Subject, 1, hall.st.Clock().Now())
	hall.await("enrolled", func() bool { return hall.current() && hall.has(pupil.Subject) })

	s.break_(unplugged)
	hall.restart()
	hall.run()
	hall.await("the hub is missed", func() bool { return hall.client.State().Problem != "" })
	if on, why := hall.custody.Fingers(); !on || !hall.has(pupil.Subject) {
		t.Errorf("fingers after a boot in 1970: %v %q", on, why)
	}
	if ok, rows := hall.custody.Permitted(pupil.Subject, hall.st.Now()); !ok {
		t.Errorf("the consent is lost in 1970: %v", rows)
	}
	pepper, err := hall.st.Secret(SecretPepper)
	if err != nil {
		t.Fatal(err)
	}
	if id, _, ok := hall.st.FindPIN(pinIndex(pepper, pupil.PIN)); !ok || id != pupil.Subject {
		t.Error("the PIN is lost in 1970")
	}
	if swept, err := hall.custody.Sweep(t.Context()); err != nil || len(swept.Receipts)+swept.Evicted > 0 {
		t.Errorf("a sweep in 1970: %+v, %v", swept, err)
	}
}

// TestAnOldCopyOfTheCard is a card, keys and all, that is put back as it was before a withdrawal: what it holds again is withdrawn
// again with the first contact, the second receipt is taken, too, and the terminal's own log does not pretend otherwise.
func TestAnOldCopyOfTheCard(t *testing.T) {
	s := newSchool(t)
	pupil := s.pupils(1)[0].Subject
	hall := s.joinAs("hall", func(tl *till) {
		var err error
		if tl.slot, err = keyslot.CreateFile(filepath.Join(tl.dir, "keyslot"), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}).run()
	hall.await("current", hall.current)
	hall.enrol(pupil, 1, time.Now())
	hall.await("enrolled", func() bool { return hall.current() && hall.has(pupil) })
	swap := func(from, to string) {
		t.Helper()
		hall.stopAll()
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(to, "keyslot"), 0o600); err != nil { // which CopyFS does not keep
			t.Fatal(err)
		}
	}
	copied := filepath.Join(scratch(t), "copy")
	swap(hall.dir, copied)
	hall.open()
	hall.run()
	if _, err := s.hub.Withdraw(t.Context(), siteID, "office", pupil, "mother", true); err != nil {
		t.Fatal(err)
	}
	hall.await("wiped", func() bool { return len(s.receipts(pupil, "hall")) == 1 && hall.current() })

	old := hall.dir
	hall.dir = filepath.Join(scratch(t), "card")
	swap(copied, hall.dir)
	if err := os.RemoveAll(old); err != nil {
		t.Fatal(err)
	}
	var err error
	if hall.slot, err = keyslot.OpenFile(filepath.Join(hall.dir, "keyslot"), rand.Reader); err != nil {
		t.Fatal(err)
	}
	hall.open()
	if !hall.has(pupil) {
		t.Fatal("the copy is not as old as this test needs it")
	}
	s.ahead.Store(int64(time.Hour)) // time has passed: within the same second the same wipe makes the same receipt
	hall.ahead.Store(int64(time.Hour))
	hall.run()
	hall.await("withdrawn again", func() bool {
		return !hall.has(pupil) && !hall.st.HasFingerKey(pupil) && hall.current() && len(s.receipts(pupil, "hall")) == 2
	})
	for _, r := range s.receipts(pupil, "hall") {
		if _, err := audit.VerifyReceipt(r.Body, r.Key); err != nil {
			t.Errorf("a receipt: %v", err)
		}
	}
}

// stopAll ends the client and closes the store.
func (tl *till) stopAll() {
	tl.t.Helper()
	if err := tl.stop(); err != nil {
		tl.t.Fatal(err)
	}
	if err := tl.st.Close(); err != nil {
		tl.t.Fatal(err)
	}
}

// open opens the store as a boot does.
func (tl *till) open() {
	tl.t.Helper()
	var err error
	if tl.st, err = store.Open(filepath.Join(tl.dir, "store"), tl.slot, store.Identity{}, tl.options()); err != nil {
		tl.t.Fatal(err)
	}
	tl.prepare()
}
