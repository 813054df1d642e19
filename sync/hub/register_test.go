package hub

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

func TestATerminalGetsWhatItMustHold(t *testing.T) {
	h, _ := newHub(t)
	id := addPupil(t, h, "Ada Byron")
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	entries := x.sync(0)
	if got := decisions(entries, id); !slices.Equal(got, []consent.Decision{consent.Permit}) {
		t.Fatalf("decisions %v, want one permit", got)
	}
	plan := register.NewPlan(entries, x.name)
	if plan.Profile == nil || !plan.Profile.Biometrics || len(plan.Terminals) != 1 || plan.Terminals[0].ID != "till-1" {
		t.Fatalf("the profile or the list of terminals is missing: %+v", plan)
	}
	if x.last.Lease.Sub(x.last.Time) != 7*24*time.Hour {
		t.Errorf("lease of %v", x.last.Lease.Sub(x.last.Time))
	}
	var out register.Envelope
	status, body := x.raw("POST", "/v1/people", []byte(`{"subjects":["`+string(id)+`"]}`), true)
	if status != http.StatusOK || json.Unmarshal(body, &out) != nil {
		t.Fatalf("people: %d %s", status, body)
	}
	text, err := out.Open(register.Label{Purpose: register.PurposePerson, Site: x.site, From: register.Hub, To: x.name}, x.secret, x.hub)
	if err != nil {
		t.Fatal(err)
	}
	p, err := register.ParsePerson(text)
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "Ada Byron" || p.Class != consent.Pupil || len(p.PINIndex) != 32 || p.PINVerifier == "" {
		t.Errorf("person %+v", p)
	}
}

func TestEveryStatementIsAnEntryAtOnce(t *testing.T) {
	h, _ := newHub(t)
	id := addPupil(t, h, "Ada Byron")
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	x.sync(0)
	answer := x.wait() // held open: nothing is new
	if _, err := h.Withdraw(t.Context(), "oakfield", "office", id, "g_1", true); err != nil {
		t.Fatal(err)
	}
	if d := decisions(x.verify(<-answer, false), id); !slices.Equal(d, []consent.Decision{consent.Erase}) {
		t.Fatalf("after the withdrawal: %v, want erase", d)
	}
	states, err := h.Terminals(t.Context(), "oakfield")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(states[0].Unconfirmed, []consent.SubjectID{id}) {
		t.Errorf("D2: unconfirmed %v, want the pupil", states[0].Unconfirmed)
	}
	x.ask("POST", "/v1/status", register.Status{Applied: x.last.Size, Version: "test", At: start}, nil)
	if states, err = h.Terminals(t.Context(), "oakfield"); err != nil || len(states[0].Unconfirmed) != 0 || states[0].Reported != states[0].Desired {
		t.Errorf("D2: after the terminal has confirmed: %+v %v", states[0], err)
	}
}

func TestNothingChangedIsNoEntry(t *testing.T) {
	h, _ := newHub(t)
	id := addPupil(t, h, "Ada Byron")
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	x.sync(0)
	s := pupil("Ada Byron").Statements[0]
	s.ID = "again"
	for range 2 {
		if d, err := h.AddStatement(t.Context(), "oakfield", "office", id, s); err != nil || d != consent.Permit {
			t.Fatal(d, err)
		}
	}
	if e := x.sync(0); len(e) != 0 {
		t.Errorf("%d entries, want none", len(e))
	}
	s.Kind = consent.Refusal
	if _, err := h.AddStatement(t.Context(), "oakfield", "office", id, s); err == nil {
		t.Error("another statement with the same id was taken for a repeat: a refusal would be lost")
	}
}

func TestDatesAreReachedWithoutAStatement(t *testing.T) {
	h, c := newHub(t)
	p := pupil("Ada Byron")
	p.LeavesOn = consent.Date{Year: 2026, Month: 9, Day: 9}
	added, err := h.AddSubjects(t.Context(), "oakfield", "office", []NewSubject{p})
	if err != nil {
		t.Fatal(err)
	}
	id := added[0].Subject
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	entries := x.sync(0)
	if d := decisions(entries, id); !slices.Equal(d, []consent.Decision{consent.Permit}) {
		t.Fatal(d)
	}
	c.move(24 * time.Hour)
	if err := h.Redecide(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e := x.sync(0); len(e) != 0 {
		t.Fatalf("the day before: %d entries", len(e))
	}
	c.move(11*time.Hour + 45*time.Minute) // 23:15 of the 8th by UTC, 00:15 of the 9th in London's summer
	if err := h.Redecide(t.Context()); err != nil {
		t.Fatal(err)
	}
	entries = x.sync(0)
	if d := decisions(entries, id); !slices.Equal(d, []consent.Decision{consent.Erase}) || !entries[0].Subject.Leaver {
		t.Fatalf("on the leaving day, as London counts: %v", entries)
	}
}

func TestASnapshotLeavesOutWhatIsSuperseded(t *testing.T) {
	h, _ := newHub(t)
	id := addPupil(t, h, "Ada Byron")
	if _, err := h.Withdraw(t.Context(), "oakfield", "office", id, "g_1", true); err != nil {
		t.Fatal(err)
	}
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	status, body := x.raw("GET", "/v1/register?after=0&wait=0&elide=1", nil, true)
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	entries := x.verify(body, true)
	if d := decisions(entries, id); !slices.Equal(d, []consent.Decision{consent.Erase}) {
		t.Errorf("a snapshot says %v, want only the last", d)
	}
}

func TestALongRegisterComesInBatches(t *testing.T) {
	h, _ := newHub(t)
	people := make([]NewSubject, register.MaxEntries+10)
	for i := range people {
		people[i] = NewSubject{Class: consent.Adult, Name: "Somebody"}
	}
	if _, err := h.AddSubjects(t.Context(), "oakfield", "office", people); err != nil {
		t.Fatal(err)
	}
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	if n := len(x.sync(0)); n != register.MaxEntries || x.last.Head <= x.last.Size {
		t.Fatalf("%d entries, head %d, size %d", n, x.last.Head, x.last.Size)
	}
	if x.sync(0); x.last.Head != x.last.Size {
		t.Errorf("after the second batch: head %d, size %d", x.last.Head, x.last.Size)
	}
}

func TestARegisterThatIsBehindTheTerminalIsRefused(t *testing.T) {
	h, _ := newHub(t)
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	if status, body := x.raw("GET", "/v1/register?after=99&wait=0", nil, true); status != http.StatusConflict || !json.Valid(body) {
		t.Errorf("%d %s", status, body)
	}
}

func TestSigningNeverGoesBackInTime(t *testing.T) {
	h, c := newHub(t)
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	x.sync(0)
	c.move(-time.Hour)
	x.sync(0) // Verify refuses an earlier checkpoint
}
