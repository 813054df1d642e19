package terminal

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/sync/register"
)

// beginAnew takes the keys from a terminal and begins anew, as the daemon does.
func (tl *till) beginAnew() {
	tl.t.Helper()
	place, err := PlaceOf(tl.st)
	if err != nil {
		tl.t.Fatal(err)
	}
	tl.stopAll()
	if _, err := store.SetAside(filepath.Join(tl.dir, "store"), tl.options()); err != nil {
		tl.t.Fatal(err)
	}
	tl.slot = &keyslot.Memory{Rand: rand.Reader}
	if tl.st, err = Anew(place, "the key slot is empty", filepath.Join(tl.dir, "store"), tl.slot, tl.options()); err != nil {
		tl.t.Fatal(err)
	}
	tl.id = tl.st.Identity()
	tl.prepare()
}

var codeInWords = regexp.MustCompile(`: ([0-9A-Z]{5}-[0-9A-Z]{5})\.`)

// shownCode waits until the terminal waits for the office and reads the code on its page.
func (tl *till) shownCode() string {
	tl.t.Helper()
	tl.await("asks to be let in again", func() bool { return tl.client.State().Reachable })
	m := codeInWords.FindStringSubmatch(tl.client.State().Problem)
	if m == nil {
		tl.t.Fatalf("no code on the page: %q", tl.client.State().Problem)
	}
	return m[1]
}

// TestH16LostKey is a terminal whose key slot is gone: it keeps nothing, asks, is let in by the code on its page and by
// nothing else, fills itself again under a new name, and the loss stands in its log and at the office.
func TestH16LostKey(t *testing.T) {
	s := newSchool(t)
	pupil := s.pupils(1)[0]
	hall, yard := s.join("hall").run(), s.join("yard").run()
	hall.await("current", hall.current)
	hall.enrol(pupil.Subject, 1, time.Now())
	yard.await("the finger has come over", func() bool { return yard.has(pupil.Subject) })

	hall.beginAnew()
	if name := hall.id.Terminal; !strings.HasPrefix(name, "hall-") || name == "hall" {
		t.Errorf("it is called %s", name)
	}
	hall.run()
	code := hall.shownCode()
	if _, known := hall.st.Standing(pupil.Subject); known {
		t.Error("it knows somebody before it is let in")
	}
	if all, err := s.hub.Rejoins(t.Context(), siteID); err != nil || len(all) != 1 || all[0].Was != "hall" || all[0].Terminal != hall.id.Terminal {
		t.Errorf("the office sees %+v, %v", all, err)
	}
	if _, err := s.hub.Readmit(t.Context(), siteID, "office", "00000-00000"); err == nil {
		t.Error("let in by a code that it does not show")
	}

	// A restart meanwhile changes nothing: the same keys, the same code.
	hall.restart()
	hall.run()
	if again := hall.shownCode(); again != code {
		t.Errorf("after a restart the code is %s, before %s", again, code)
	}

	name, err := s.hub.Readmit(t.Context(), siteID, "office", strings.ToLower(strings.Replace(code, "-", " ", 1)))
	if err != nil || name != hall.id.Terminal {
		t.Fatalf("let in as %q: %v", name, err)
	}
	if err := waitEnd(hall); !errors.Is(err, ErrReadmitted) {
		t.Fatalf("Run ended with %v", err)
	}
	hall.restart()
	hall.run()
	hall.await("filled again", func() bool { return hall.current() && hall.has(pupil.Subject) })
	pepper, err := hall.st.Secret(SecretPepper)
	if err != nil {
		t.Fatal(err)
	}
	if id, _, ok := hall.st.FindPIN(pinIndex(pepper, pupil.PIN)); !ok || id != pupil.Subject {
		t.Error("the PIN does not serve")
	}
	wantLossTold(t, s, hall)
}

func wantLossTold(t *testing.T, s *school, tl *till) {
	t.Helper()
	logged := 0
	if err := tl.st.Events(0, func(_ int64, e audit.Event) bool {
		if e.Kind == audit.KeyEvent && e.Action == "lost" && e.Row == "H16" {
			logged++
		}
		return true
	}); err != nil || logged != 1 {
		t.Errorf("the loss stands %d times in the log, %v", logged, err)
	}
	tl.await("the alert has arrived", func() bool { return tl.client.State().Pending == 0 })
	alerts, err := s.hub.Reports(t.Context(), siteID, register.ReportAlert, "", 10)
	if err != nil || len(alerts) != 1 || !strings.Contains(alerts[0].Body, "the key slot is empty") {
		t.Errorf("the office hears %+v, %v", alerts, err)
	}
	all, err := s.hub.Terminals(t.Context(), siteID)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		if one.Removed != (one.Terminal == "hall") {
			t.Errorf("terminal %s removed: %t", one.Terminal, one.Removed)
		}
	}
}

// A hub that cannot be reached, and one that answers for somebody else, let nobody in.
func TestH16NobodyElseLetsItIn(t *testing.T) {
	s := newSchool(t)
	hall := s.join("hall").run()
	hall.await("current", hall.current)
	s.break_(unplugged)
	hall.beginAnew()
	hall.run()
	hall.await("not reached", func() bool { return strings.Contains(hall.client.State().Problem, "cannot be reached") })
	if codeInWords.FindString(hall.client.State().Problem) == "" {
		t.Error("the code is not on the page while the hub is away")
	}
	s.break_(tampered("/v1/rejoin", func(int, []byte) (int, []byte) { return 200, []byte(`{"terminal":"hall-2abc","site":"oakfield"}`) }))
	hall.await("another's answer", func() bool { return strings.Contains(hall.client.State().Problem, "not signed") })
	s.break_(nil)
	hall.shownCode()
}

func TestNextName(t *testing.T) {
	for was, base := range map[string]string{"hall": "hall", "hall-4kdt": "hall", "hall-2": "hall-2", "hall-till": "hall-till",
		"a-very-long-name-for-one-terminal": "a-very-long-name-for-one-te"} {
		name, err := nextName(was, rand.Reader)
		if err != nil || !register.ValidName(name) || suffix.ReplaceAllString(name, "") != base || name == was {
			t.Errorf("%s becomes %s, %v", was, name, err)
		}
	}
}

func TestPlace(t *testing.T) {
	s := newSchool(t)
	place, err := PlaceOf(s.join("hall").st)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := ReadPlace(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no note: %v", err)
	}
	for range 2 {
		if err := place.Write(dir); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := ReadPlace(dir); err != nil || got.Terminal != "hall" || got.Hubs[0] != s.url {
		t.Errorf("%+v, %v", got, err)
	}
	if err := ForgetPlace(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPlace(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("forgotten: %v", err)
	}
	if err := ForgetPlace(dir); err != nil {
		t.Error(err)
	}
}

func FuzzPlace(f *testing.F) {
	f.Add([]byte(`{"site":"oakfield","terminal":"hall","hubs":["https://hub.lan:8443"],"pin":"","key":""}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := parsePlace(b); err == nil && (!register.ValidName(p.Terminal) || len(p.Hubs) == 0) {
			t.Errorf("%+v", p)
		}
	})
}
