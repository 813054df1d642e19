package terminal

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/sync/hub"
	"github.com/tillprint/tillprint/sync/register"
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
// again with the first contact, and since its log does not continue what the hub has countersigned, the office is told
// and the terminal is emptied and filled again, its own fingers by the other terminal (H17).
func TestAnOldCopyOfTheCard(t *testing.T) {
	s := newSchool(t)
	pupils := s.pupils(2)
	pupil, stays := pupils[0].Subject, pupils[1].Subject
	hall := s.joinAs("hall", func(tl *till) {
		var err error
		if tl.slot, err = keyslot.CreateFile(filepath.Join(tl.dir, "keyslot"), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}).run()
	hall.await("current", hall.current)
	hall.enrol(pupil, 1, time.Now())
	hall.enrol(stays, 2, time.Now())
	hall.await("enrolled", func() bool { return hall.current() && hall.has(pupil) })
	gym := s.join("gym").run()
	gym.await("introduced", func() bool { return gym.current() && gym.has(pupil) && gym.has(stays) })
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
	head, _, err := hall.st.Head(0)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := strconv.ParseInt(strings.Split(head, "\n")[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	hall.run()
	if _, err := s.hub.Withdraw(t.Context(), siteID, "office", pupil, "mother", true); err != nil {
		t.Fatal(err)
	}
	hall.await("wiped", func() bool {
		return len(s.receipts(pupil, "hall")) == 1 && hall.current() && s.countersigned("hall") >= opened
	})

	old := hall.dir
	hall.dir = filepath.Join(scratch(t), "card")
	swap(copied, hall.dir)
	if err := os.RemoveAll(old); err != nil {
		t.Fatal(err)
	}
	if hall.slot, err = keyslot.OpenFile(filepath.Join(hall.dir, "keyslot"), rand.Reader); err != nil {
		t.Fatal(err)
	}
	s.ahead.Store(int64(time.Hour)) // time has passed: within the same second the same events make the same log
	hall.ahead.Store(int64(time.Hour))
	hall.open()
	if !hall.has(pupil) {
		t.Fatal("the copy is not as old as this test needs it")
	}
	hall.run()
	hall.await("noticed, emptied and filled again", func() bool {
		return len(s.rewound("hall")) == 1 && !hall.has(pupil) && !hall.st.HasFingerKey(pupil) && hall.current() && hall.has(stays) && s.countersigned("hall") < opened
	})
	if n := len(s.receipts(pupil, "hall")); n < 2 {
		t.Errorf("%d receipts of the fingers that came back", n)
	}
	if len(s.rewound("gym")) != 0 {
		t.Error("the other terminal is accused")
	}
	pepper, err := hall.st.Secret(SecretPepper)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pupils {
		if id, _, ok := hall.st.FindPIN(pinIndex(pepper, p.PIN)); !ok || id != p.Subject {
			t.Error("a PIN is lost")
		}
	}
	for _, r := range s.receipts(pupil, "hall") {
		if _, err := audit.VerifyReceipt(r.Body, r.Key); err != nil {
			t.Errorf("a receipt: %v", err)
		}
	}
}

// rewound are the hub's alerts that a terminal's card was put back.
func (s *school) rewound(terminal string) (found []hub.Report) {
	s.t.Helper()
	all, err := s.hub.Reports(s.t.Context(), siteID, register.ReportAlert, "", 100)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, r := range all {
		if r.Terminal == terminal && strings.HasPrefix(r.ID, "rewound-") {
			found = append(found, r)
		}
	}
	return found
}

// countersigned is the size of the terminal's log that the hub has countersigned last; 0 before.
func (s *school) countersigned(terminal string) int64 {
	s.t.Helper()
	seen, err := s.hub.LogHistory(s.t.Context(), siteID, terminal)
	if errors.Is(err, hub.ErrNotFound) {
		return 0
	}
	if err != nil {
		s.t.Fatal(err)
	}
	lines := strings.Split(seen.Head, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return size
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
