package terminal

import (
	"errors"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/tillprint/tillprint/store/export"
)

// TestAnExportComesFromEveryTerminal asks at the hub for what is held about a pupil who was enrolled at one till of two.
func TestAnExportComesFromEveryTerminal(t *testing.T) {
	s := newSchool(t)
	pupils := s.pupils(2)
	id, other := pupils[0].Subject, pupils[1].Subject
	a, b := s.twoTills()
	a.enrol(id, 1, time.Now())
	a.enrol(other, 2, time.Now())
	b.await("the finger at till-2", func() bool { return b.has(id) && b.has(other) })

	if _, err := a.client.Export(id); !errors.Is(err, ErrNoOrder) {
		t.Fatalf("G13: exported without an order: %v", err)
	}
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	order, err := s.hub.AskExport(t.Context(), siteID, "smith",
		export.Order{Subject: id, Recipient: key.Recipient().String(), Requester: "the pupil", Identity: "known"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.hub.ConfirmExport(t.Context(), siteID, "jones", order); err != nil {
		t.Fatal(err)
	}
	arrived := func() bool {
		list, err := s.hub.Exports(t.Context(), siteID, id)
		return err == nil && len(list) == 1 && len(list[0].Awaited) == 0
	}
	a.await("the parts of both tills", arrived)
	bundle, err := s.hub.ExportFile(t.Context(), siteID, "smith", order)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := export.Unbundle(bundle)
	if err != nil || len(parts) != 3 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	for _, p := range parts[1:] {
		r, _, err := export.Open(p.Data, key.String())
		if err != nil || r.Subject != id || len(r.Templates) != 2 || r.Person == nil || r.Site.Name != "Oakfield" || r.Order.ID != order {
			t.Errorf("%s: %v, %+v", p.Name, err, r)
		}
	}

	// The same without the hub, as long as the order is fresh; nobody else's.
	s.break_(unplugged)
	sealed, err := b.client.Export(id)
	if err != nil {
		t.Fatal(err)
	}
	if r, _, err := export.Open(sealed, key.String()); err != nil || len(r.Templates) != 2 {
		t.Errorf("offline: %v, %+v", err, r)
	}
	if _, err := b.client.Export(other); !errors.Is(err, ErrNoOrder) {
		t.Errorf("somebody else's: %v", err)
	}
	b.ahead.Store(int64(32 * 24 * time.Hour))
	b.restart()
	if _, err := b.client.Export(id); !errors.Is(err, ErrNoOrder) {
		t.Errorf("after a month: %v", err)
	}
}
