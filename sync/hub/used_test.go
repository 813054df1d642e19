package hub

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

// D3: fingers that nobody uses go, those in use stay, and the hub keeps a date to about a month and not the list.
func TestD3UnusedFingersGo(t *testing.T) {
	h, c := newHub(t)
	p := permitting
	p.UnusedDays = 60
	if err := h.SetProfile(t.Context(), "oakfield", "office", p); err != nil {
		t.Fatal(err)
	}
	ids := addPupils(t, h, 2)
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	if plan := register.NewPlan(x.sync(0), x.name); plan.Profile.Unused != 60 {
		t.Errorf("terminals are told %+v", plan.Profile)
	}
	use := func() {
		t.Helper()
		x.ask("POST", "/v1/status", register.Status{At: c.now(), Used: ids[:1]}, nil)
	}
	use()
	used := func() consent.Date {
		t.Helper()
		d, err := h.Subject(t.Context(), "oakfield", ids[0])
		if err != nil {
			t.Fatal(err)
		}
		return d.LastUsed
	}
	first := used()
	if first != consent.DateOf(start) {
		t.Errorf("last used on %s", first)
	}
	c.move(3 * 24 * time.Hour)
	x.sync(0)
	use()
	if used() != first || len(x.sync(0)) != 0 {
		t.Error("F1: the hub writes down every meal")
	}
	c.move(40 * 24 * time.Hour)
	use()
	for _, id := range ids { // the leases of this test are long over; the decisions are what counts
		if s := standingOf(t, h, id); s.Decision != consent.Permit {
			t.Errorf("after 43 days: %+v", s)
		}
	}
	c.move(20 * 24 * time.Hour)
	redecide(t, h)
	if s := standingOf(t, h, ids[1]); s.Decision != consent.Erase || s.Reasons[0] != "D3" || s.Leaver {
		t.Errorf("unused for 63 days: %+v", s)
	}
	if s := standingOf(t, h, ids[0]); s.Decision != consent.Permit {
		t.Errorf("used 20 days ago: %+v", s)
	}
	again := pupil("Pupil 01").Statements[2]
	again.At, again.Evidence = c.now(), "form 2"
	if d, err := h.AddStatement(t.Context(), "oakfield", "office", ids[1], again); err != nil || d != consent.Permit {
		t.Errorf("a new consent: %v %v", d, err)
	}
	var kept string
	if err := h.db.QueryRowContext(t.Context(), `SELECT status FROM terminals WHERE site = 'oakfield'`).Scan(&kept); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if strings.Contains(kept, string(id)) {
			t.Error("F1: the hub keeps who has eaten")
		}
	}
	many := register.Status{At: c.now(), Used: make([]consent.SubjectID, register.MaxUsed+1)}
	body, err := json.Marshal(many)
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := x.raw("POST", "/v1/status", body, true); status != http.StatusBadRequest {
		t.Errorf("a status with too many: %d", status)
	}
}
