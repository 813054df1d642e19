package terminal

import (
	"testing"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/hub"
)

// allMatched and allKept ask of every pupil at once.
func (tl *till) allMatched(pupils []hub.Added, want bool) bool {
	for _, p := range pupils {
		if tl.has(p.Subject) != want {
			return false
		}
	}
	return true
}

func (tl *till) wantKept(what string, n int) {
	tl.t.Helper()
	if got := tl.st.FingerKeys(); got != n {
		tl.t.Errorf("%s: fingers of %d pupils can be opened, want %d", what, got, n)
	}
	for _, v := range tl.custody.Check() {
		tl.t.Errorf("%s: %s is broken: %s", what, v.Invariant, v.Text)
	}
}

// H1, from the list of pupils to the till: a list that came half stops matching there at once and destroys nothing until the office says
// that it was meant; a switch that ends biometrics likewise; and a withdrawal in the midst of it is a wipe with its receipt.
func TestH1AMassErasureWaitsForTheOffice(t *testing.T) {
	s := newSchool(t)
	pupils := s.pupils(13)
	hall := s.join("hall").run()
	hall.await("current", hall.current)
	for i, p := range pupils {
		hall.keep(p.Subject, uint64(i+1), time.Now())
	}
	hall.client.Wake()
	answer := func(f func() error) {
		t.Helper()
		if err := f(); err != nil {
			t.Fatal(err)
		}
	}
	confirm := func() error { return s.hub.ConfirmErasures(t.Context(), siteID, "office") }
	reject := func() error { return s.hub.RejectErasures(t.Context(), siteID, "office") }

	list := []consent.SubjectID{pupils[0].Subject}
	if _, err := s.hub.TakeRoster(t.Context(), siteID, "feed", list); err != nil {
		t.Fatal(err)
	}
	hall.await("nobody whom the list drops is matched", func() bool { return hall.current() && hall.allMatched(pupils[1:], false) })
	hall.wantKept("half a list", 13)
	if hall.custody.Waiting() == "" {
		t.Error("the operator is told nothing")
	}
	if _, err := s.hub.Withdraw(t.Context(), siteID, "office", pupils[5].Subject, "mother", true); err != nil {
		t.Fatal(err)
	}
	hall.await("a receipt for the withdrawal", func() bool { return len(s.receipts(pupils[5].Subject, "hall")) == 1 && hall.current() })
	hall.wantKept("a withdrawal meanwhile", 12)
	answer(reject)
	others := append(pupils[:5:5], pupils[6:]...)
	hall.await("everybody else is matched again", func() bool { return hall.current() && hall.allMatched(others, true) })

	off := s.profile()
	off.Biometrics = false
	answer(func() error { return s.hub.SetProfile(t.Context(), siteID, "office", off) })
	hall.await("off", func() bool { return hall.current() && !hall.custody.Biometrics() && hall.gallery.Len() == 0 })
	hall.wantKept("switched off", 12)
	answer(reject)
	hall.await("on again", func() bool { return hall.current() && hall.allMatched(others, true) })
	answer(func() error { return s.hub.SetProfile(t.Context(), siteID, "office", off) })
	answer(confirm)
	hall.await("confirmed", func() bool { return hall.current() && hall.st.FingerKeys() == 0 })
	hall.wantKept("confirmed", 0)
}

// D3: a meal by finger is told to a hub that asks for it, once, and to no other.
func TestD3UsesAreToldWhereTheProfileAsks(t *testing.T) {
	s := newSchool(t)
	pupil := s.pupils(1)[0].Subject
	hall := s.join("hall").run()
	hall.await("current", hall.current)
	used := func() consent.Date {
		t.Helper()
		d, err := s.hub.Subject(t.Context(), siteID, pupil)
		if err != nil {
			t.Fatal(err)
		}
		return d.LastUsed
	}
	hall.client.Used(pupil)
	if st, err := hall.client.status(); err != nil || len(st.Used) != 0 {
		t.Errorf("F1: %v is told to a hub that did not ask, %v", st.Used, err)
	}
	p := s.profile()
	p.UnusedDays = 100
	if err := s.hub.SetProfile(t.Context(), siteID, "office", p); err != nil {
		t.Fatal(err)
	}
	hall.await("the new profile", func() bool {
		p, ok := hall.client.Profile()
		return ok && p.Unused == 100
	})
	hall.client.Used(pupil)
	hall.client.remark("so that a status is due")
	hall.client.Wake()
	hall.await("told", func() bool { return !used().IsZero() })
	hall.await("told once: the answer has come too", func() bool {
		st, err := hall.client.status()
		return err == nil && len(st.Used) == 0
	})
}
