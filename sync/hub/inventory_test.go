package hub

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tillprint/tillprint/sync/register"
)

// TestWhatAStolenTerminalHeld asks, after a terminal is gone, what was on it at each moment of its life (J3, J4).
func TestWhatAStolenTerminalHeld(t *testing.T) {
	h, c := newHub(t)
	addPupil(t, h, "Ada Byron")
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	x.sync(0)
	joinedAt := c.now()
	unlocked := c.now()
	report := func(templates, log int) {
		t.Helper()
		x.ask("POST", "/v1/status", register.Status{Applied: x.last.Size, Version: "test", At: c.now(), Pupils: 400, Photos: 12, PINs: 390, Subjects: templates / 4,
			Templates: templates, Log: int64(log), Standings: 410, Pending: log / 10, Opened: unlocked, Cipher: "XChaCha20-Poly1305", Epoch: 7, Promise: "a promise"}, nil)
	}
	c.move(time.Hour)
	report(800, 10)
	full := c.now()
	c.move(time.Hour)
	report(800, 20) // nothing but the log has grown: no inventory of its own
	c.move(time.Hour)
	report(796, 30)
	for _, want := range []struct {
		when      time.Time
		templates int
		log       int64
		since     time.Time
		counted   time.Time
	}{{joinedAt, 0, 0, time.Time{}, time.Time{}}, {full, 800, 10, full, full}, {full.Add(90 * time.Minute), 800, 20, full, full.Add(time.Hour)},
		{time.Time{}, 796, 30, full.Add(2 * time.Hour), full.Add(2 * time.Hour)}} {
		e, err := h.Evidence(t.Context(), "oakfield", "till-1", want.when)
		if err != nil || e.Held.Templates != want.templates || !e.Reported.Equal(want.since) || e.Held.Log != want.log || int64(e.Held.Pending) != want.log/10 || !e.Counted.Equal(want.counted) {
			t.Errorf("as of %v: %d templates since %v, %d log records at %v, %v; want %+v", want.when, e.Held.Templates, e.Reported, e.Held.Log, e.Counted, err, want)
		}
	}
	if err := h.Command(t.Context(), "oakfield", "smith", "till-1", register.Command{Do: register.Wipe}); err != nil {
		t.Fatal(err)
	}
	if err := h.RemoveTerminal(t.Context(), "oakfield", "smith", "till-1"); err != nil {
		t.Fatal(err)
	}
	e, err := h.Evidence(t.Context(), "oakfield", "till-1", time.Time{})
	if err != nil || !e.Removed || len(e.Orders) != 3 || e.Orders[2].Do != register.Wipe || e.Orders[2].Applied || e.Lease.Before(e.Contact) {
		t.Errorf("after the theft: %+v, %v", e, err)
	}
	var said bytes.Buffer
	e.Print(&said)
	for _, want := range []string{"fingerprint templates                796\n", "XChaCha20-Poly1305", "epoch 7. a promise", "ordered: wipe",
		"standings of consent, by pseudonym   410\n", "log records, by pseudonym            30\n", "last unlocked by its key slot at " + unlocked.UTC().Format("2006-01-02 15:04 UTC")} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("the sheet lacks %q:\n%s", want, said.String())
		}
	}
	b := officeOf(t, h)
	b.login()
	if status, page := b.get("/office/terminals/till-1/held?at=" + full.UTC().Format("2006-01-02T15:04")); status != http.StatusOK || !strings.Contains(page, "<td>800</td>") {
		t.Errorf("the page: %d %s", status, page)
	}
	if status, _ := b.get("/office/terminals/till-1/held?at=noon"); status != http.StatusUnprocessableEntity {
		t.Errorf("no moment: %d", status)
	}
	if _, err := h.Evidence(t.Context(), "oakfield", "till-9", time.Time{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("no terminal: %v", err)
	}
}
