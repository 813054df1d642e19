package terminal

import (
	"testing"
	"time"

	"github.com/tillprint/tillprint/consent"
)

// TestAFingerUnderTheWrongName is wiped everywhere with a receipt from each terminal, and both people are enrolled anew: the one
// whose name it had, and the one whose finger it was (F4).
func TestAFingerUnderTheWrongName(t *testing.T) {
	s := newSchool(t)
	people := s.pupils(2)
	wrong, right := people[0].Subject, people[1].Subject
	a, b := s.twoTills()
	yesterday := time.Now().Add(-24 * time.Hour)
	a.enrol(wrong, 7, yesterday) // finger 7 is the right person's
	b.await("the finger at till-2", func() bool { return b.has(wrong) })

	if err := s.hub.NotTheirs(t.Context(), siteID, "office", wrong); err != nil {
		t.Fatal(err)
	}
	for _, tl := range []*till{a, b} {
		tl.await("no finger at "+tl.id.Terminal, func() bool { return tl.current() && !tl.st.HasFingerKey(wrong) && !tl.has(wrong) })
		if n, err := tl.st.TemplateCount(); err != nil || n[wrong] != 0 {
			t.Errorf("%s keeps %d templates, %v", tl.id.Terminal, n[wrong], err)
		}
		tl.await("the consent as it was at "+tl.id.Terminal, func() bool { ok, _ := tl.custody.Permitted(wrong, time.Now()); return ok })
		tl.await("the receipt of "+tl.id.Terminal, func() bool {
			receipts := s.receipts(wrong, tl.id.Terminal)
			return len(receipts) == 1 && tl.current()
		})
	}
	if d, err := s.hub.Subject(t.Context(), siteID, wrong); err != nil || d.Standing.Decision != consent.Permit {
		t.Errorf("at the hub: %+v, %v", d, err)
	}

	b.enrol(right, 7, time.Now())
	a.enrol(wrong, 8, time.Now())
	a.await("both at till-1", func() bool { return a.has(right) && a.has(wrong) })
	b.await("both at till-2", func() bool { return b.has(right) && b.has(wrong) })
	if broken := a.custody.Check(); len(broken) > 0 {
		t.Error(broken)
	}
}
