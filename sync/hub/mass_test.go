package hub

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

// addPupils adds n permitted pupils.
func addPupils(t *testing.T, h *Hub, n int) []consent.SubjectID {
	t.Helper()
	people := make([]NewSubject, n)
	for i := range people {
		people[i] = pupil(fmt.Sprintf("Pupil %02d", i))
		people[i].PIN = false
	}
	added, err := h.AddSubjects(t.Context(), "oakfield", "office", people)
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]consent.SubjectID, n)
	for i, a := range added {
		ids[i] = a.Subject
	}
	return ids
}

func standingOf(t *testing.T, h *Hub, id consent.SubjectID) register.Subject {
	t.Helper()
	who, err := loadSubject(t.Context(), h.db, "oakfield", id)
	if err != nil {
		t.Fatal(err)
	}
	return *who.standing
}

// tally counts decisions.
func tally(t *testing.T, h *Hub, ids []consent.SubjectID) map[consent.Decision]int {
	t.Helper()
	n := map[consent.Decision]int{}
	for _, id := range ids {
		n[standingOf(t, h, id).Decision]++
	}
	return n
}

func wantTally(t *testing.T, h *Hub, ids []consent.SubjectID, what string, permit, pause, erase int) {
	t.Helper()
	n := tally(t, h, ids)
	if n[consent.Permit] != permit || n[consent.Pause] != pause || n[consent.Erase] != erase {
		t.Errorf("%s: %v, want %d permitted, %d paused, %d erased", what, n, permit, pause, erase)
	}
}

func takeRoster(t *testing.T, h *Hub, pupils []consent.SubjectID) Taken {
	t.Helper()
	taken, err := h.TakeRoster(t.Context(), "oakfield", "feed", pupils)
	if err != nil {
		t.Fatal(err)
	}
	return taken
}

func redecide(t *testing.T, h *Hub) {
	t.Helper()
	if err := h.Redecide(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// H1: a list that came half pauses those it drops, tells every terminal when it ends, and comes back with the whole list.
func TestH1AHalfListPausesAndComesBack(t *testing.T) {
	h, _ := newHub(t)
	ids := addPupils(t, h, 40)
	if taken := takeRoster(t, h, ids[:20]); taken.Dropped != 20 {
		t.Fatalf("taken: %+v", taken)
	}
	wantTally(t, h, ids, "half a list", 20, 20, 0)
	s := standingOf(t, h, ids[30])
	end := consent.End{On: consent.DateOf(start).AddDays(consent.DefaultMassDays), Decision: consent.Erase, Row: "D3"}
	if !slices.Equal(s.Ends, []consent.End{end}) || s.Leaver || !slices.Contains(s.Reasons, "H1") || s.Reasons[0] != "D3" {
		t.Errorf("standing while it waits: %+v", s)
	}
	if taken := takeRoster(t, h, ids); taken.Restored != 20 {
		t.Errorf("the whole list: %+v", taken)
	}
	wantTally(t, h, ids, "the whole list", 40, 0, 0)
	if w, err := h.Waiting(t.Context(), "oakfield"); err != nil || len(w.Subjects) != 0 {
		t.Errorf("waiting still: %+v %v", w, err)
	}
}

func TestH1TheOfficeConfirmsOrTakesBack(t *testing.T) {
	for name, tt := range map[string]struct {
		answer                func(*Hub, *testing.T) error
		permit, pause, erased int
	}{
		"confirm": {func(h *Hub, t *testing.T) error { return h.ConfirmErasures(t.Context(), "oakfield", "office") }, 20, 0, 20},
		"reject":  {func(h *Hub, t *testing.T) error { return h.RejectErasures(t.Context(), "oakfield", "office") }, 40, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			h, _ := newHub(t)
			ids := addPupils(t, h, 40)
			takeRoster(t, h, ids[:20])
			if err := tt.answer(h, t); err != nil {
				t.Fatal(err)
			}
			wantTally(t, h, ids, name, tt.permit, tt.pause, tt.erased)
			if err := tt.answer(h, t); !errors.Is(err, ErrInvalid) {
				t.Errorf("answered twice: %v", err)
			}
			if name == "confirm" && !standingOf(t, h, ids[39]).Leaver {
				t.Error("a leaver who was confirmed keeps the person record")
			}
		})
	}
}

// A12: a withdrawal, an objection or a refusal goes at once, also in the midst of a mass, and any number of them on one day.
func TestA12WithdrawalsNeverWait(t *testing.T) {
	h, _ := newHub(t)
	ids := addPupils(t, h, 30)
	takeRoster(t, h, ids[:15])
	if d, err := h.Refuse(t.Context(), "oakfield", "office", ids[20]); err != nil || d != consent.Erase {
		t.Errorf("a refusal of somebody who waits: %v %v", d, err)
	}
	for _, id := range ids[:15] {
		if d, err := h.Withdraw(t.Context(), "oakfield", "office", id, "g_2", true); err != nil || d != consent.Erase {
			t.Fatalf("a parent's withdrawal: %v %v", d, err)
		}
	}
	wantTally(t, h, ids, "withdrawals", 0, 14, 16)
}

// A list that comes as single changes is a batch all the same: what is over the share waits.
func TestH1SingleChangesAddUp(t *testing.T) {
	h, c := newHub(t)
	ids := addPupils(t, h, 60)
	for _, id := range ids[:30] {
		if err := h.Leave(t.Context(), "oakfield", "feed", id); err != nil {
			t.Fatal(err)
		}
	}
	wantTally(t, h, ids, "thirty leave one by one", 30, 20, 10)
	c.move(25 * time.Hour)
	if err := h.ConfirmErasures(t.Context(), "oakfield", "office"); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids[30:35] {
		if err := h.Leave(t.Context(), "oakfield", "office", id); err != nil {
			t.Fatal(err)
		}
	}
	wantTally(t, h, ids, "five more the next day", 25, 0, 35)
}

// Nobody answers: it ends by itself, when the days have passed and the hub has seen at least half of them pass. A clock that jumps, or
// a restart, does not shorten that.
func TestH1WhatWaitsEndsByItself(t *testing.T) {
	h, c := newHub(t)
	h.config.Look = time.Hour
	ids := addPupils(t, h, 20)
	takeRoster(t, h, ids[:5])
	c.move(10 * 365 * 24 * time.Hour)
	redecide(t, h)
	redecide(t, h)
	if n := tally(t, h, ids); n[consent.Erase] != 0 || n[consent.Permit] != 0 {
		t.Errorf("after a jump of ten years: %v; nobody may be erased, and the 18th birthdays permit nobody", n)
	}
	for range 40 {
		c.move(time.Hour)
		redecide(t, h)
	}
	wantTally(t, h, ids[5:], "forty hours later", 0, 0, 15)
}

func TestH1WhatWaitsIsErasedOnItsDay(t *testing.T) {
	h, c := newHub(t)
	h.config.Look = time.Hour
	ids := addPupils(t, h, 20)
	takeRoster(t, h, ids[:5])
	for range 3 * 24 {
		c.move(time.Hour)
		redecide(t, h)
	}
	wantTally(t, h, ids, "three days later", 5, 15, 0)
	for range 24 {
		c.move(time.Hour)
		redecide(t, h)
	}
	wantTally(t, h, ids, "four days later", 5, 0, 15)
}

// A16: the switch that ends biometrics stops every terminal at once and can be taken back while it waits.
func TestA16TheSwitchCanBeTakenBack(t *testing.T) {
	h, _ := newHub(t)
	ids := addPupils(t, h, 20)
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	x.sync(0)
	off := permitting
	off.Biometrics = false
	if err := h.SetProfile(t.Context(), "oakfield", "office", off); err != nil {
		t.Fatal(err)
	}
	p := register.NewPlan(x.sync(0), x.name).Profile
	if p == nil || p.Biometrics || p.Keep != consent.DateOf(start).AddDays(consent.DefaultMassDays) {
		t.Fatalf("the terminals are told %+v", p)
	}
	wantTally(t, h, ids, "off", 0, 20, 0)
	if err := h.RejectErasures(t.Context(), "oakfield", "office"); err != nil {
		t.Fatal(err)
	}
	wantTally(t, h, ids, "taken back", 20, 0, 0)
	if p = register.NewPlan(x.sync(0), x.name).Profile; p == nil || !p.Biometrics {
		t.Fatalf("the terminals are told %+v", p)
	}
	if err := h.SetProfile(t.Context(), "oakfield", "office", off); err != nil {
		t.Fatal(err)
	}
	if err := h.ConfirmErasures(t.Context(), "oakfield", "office"); err != nil {
		t.Fatal(err)
	}
	wantTally(t, h, ids, "confirmed", 0, 0, 20)
	if p = register.NewPlan(x.sync(0), x.name).Profile; p == nil || p.Biometrics || !p.Keep.IsZero() {
		t.Fatalf("the terminals are told %+v", p)
	}
}

func TestAProfileThatCannotBeIsRefused(t *testing.T) {
	h, _ := newHub(t)
	p := permitting
	p.OwnConsentAge = 12
	if err := h.SetProfile(t.Context(), "oakfield", "office", p); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "England") {
		t.Errorf("own consent in England: %v", err)
	}
}

// A5: a list that stops coming pauses the pupils, and nobody else; the next one ends that. Nothing is erased by silence.
func TestA5ASilentListPauses(t *testing.T) {
	h, c := newHub(t)
	ids := addPupils(t, h, 12)
	staff := NewSubject{Class: consent.Adult, Name: "Cook", Statements: []consent.Statement{{Capacity: consent.Self, Kind: consent.Consent, Form: consent.Written,
		At: start.Add(-time.Hour), Purpose: consent.CanteenIdentification, Modality: consent.Finger, Notice: notice, Evidence: "form 9"}}}
	added, err := h.AddSubjects(t.Context(), "oakfield", "office", []NewSubject{staff})
	if err != nil {
		t.Fatal(err)
	}
	cook := added[0].Subject
	p := permitting
	p.SilentDays = 3
	if err := h.SetProfile(t.Context(), "oakfield", "office", p); err != nil {
		t.Fatal(err)
	}
	redecide(t, h)
	wantTally(t, h, ids, "the day on which lists are expected", 12, 0, 0)
	c.move(3 * 24 * time.Hour)
	redecide(t, h)
	wantTally(t, h, ids, "three days without a list", 0, 12, 0)
	if s := standingOf(t, h, cook); s.Decision != consent.Permit {
		t.Errorf("the cook: %+v", s)
	}
	c.move(200 * 24 * time.Hour)
	redecide(t, h)
	wantTally(t, h, ids, "half a year", 0, 12, 0)
	takeRoster(t, h, ids)
	wantTally(t, h, ids, "a list", 12, 0, 0)
	c.move(-30 * 24 * time.Hour) // the clock was wrong, or is now
	redecide(t, h)
	wantTally(t, h, ids, "a clock that was put back", 0, 12, 0)
}

func TestAListIsTakenWholeOrNotAtAll(t *testing.T) {
	h, _ := newHub(t)
	ids := addPupils(t, h, 3)
	stranger, err := consent.NewSubjectID(h.config.Rand)
	if err != nil {
		t.Fatal(err)
	}
	for what, list := range map[string][]consent.SubjectID{"nobody": nil, "a stranger": {ids[0], stranger}} {
		if _, err := h.TakeRoster(t.Context(), "oakfield", "feed", list); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	wantTally(t, h, ids, "after lists that were refused", 3, 0, 0)
	if taken := takeRoster(t, h, ids[:2]); taken.Dropped != 1 {
		t.Errorf("%+v", taken)
	}
	if taken := takeRoster(t, h, ids); taken.Gone != 1 || taken.Restored != 0 {
		t.Errorf("D7: a late list brings a leaver back: %+v", taken)
	}
	wantTally(t, h, ids, "a leaver", 2, 0, 1)
	b := officeOf(t, h)
	b.login()
	b.api("PUT", "/roster", map[string]any{"pupils": ids}, http.StatusUnprocessableEntity, nil)
	b.api("PUT", "/roster", map[string]any{"complete": true, "pupils": ids[:2]}, http.StatusOK, nil)
}

// TestMassProperty lets a school live through anything in any order. At every moment: whoever has said no is erased; whom the records
// no longer allow is not permitted (I1, I4); and within a day no more are erased without a person's word or the office's answer than the share.
func TestMassProperty(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 7))
		h, c := newHub(t)
		h.config.Look = time.Hour
		ids := addPupils(t, h, 30)
		spoken, answered := map[consent.SubjectID]bool{}, false
		for step := range 25 {
			id := ids[r.IntN(len(ids))]
			var err error
			switch what := r.IntN(7); what {
			case 0:
				_, err = h.TakeRoster(t.Context(), "oakfield", "feed", ids[r.IntN(20):])
			case 1:
				_, err = h.TakeRoster(t.Context(), "oakfield", "feed", ids)
			case 2:
				_, err = h.Refuse(t.Context(), "oakfield", "office", id)
				spoken[id] = true
			case 3:
				err = h.Leave(t.Context(), "oakfield", "office", id)
			case 4:
				if r.IntN(3) == 0 {
					err = h.ConfirmErasures(t.Context(), "oakfield", "office")
					answered = answered || err == nil
				} else {
					err = h.RejectErasures(t.Context(), "oakfield", "office")
				}
			case 5:
				c.move(time.Duration(r.IntN(120)) * time.Minute)
				err = h.Redecide(t.Context())
			case 6:
				h = reopen(t, h, c)
			}
			if err != nil && !errors.Is(err, ErrInvalid) {
				t.Fatal(err)
			}
			silent := 0 // erased without a word
			for _, id := range ids {
				who, err := loadSubject(t.Context(), h.db, "oakfield", id)
				if err != nil {
					t.Fatal(err)
				}
				switch d := who.standing.Decision; {
				case spoken[id] && d != consent.Erase:
					t.Fatalf("seed %d, step %d: %v although the pupil has refused", seed, step, d)
				case who.Roster != consent.Current && d == consent.Permit:
					t.Fatalf("seed %d, step %d: permits a leaver", seed, step)
				case !spoken[id] && d == consent.Erase:
					silent++
				}
			}
			if !answered && silent > consent.MassLeast {
				t.Fatalf("seed %d, step %d: %d of 30 are erased and nobody was asked", seed, step, silent)
			}
		}
	}
}

// reopen stops a hub and starts it again.
func reopen(t *testing.T, h *Hub, c *clock) *Hub {
	t.Helper()
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	again := openHub(t, h.config.Dir, c)
	again.config.Look = h.config.Look
	return again
}

func TestTheOfficeIsAskedOnEveryPage(t *testing.T) {
	h, _ := newHub(t)
	ids := addPupils(t, h, 20)
	takeRoster(t, h, ids[:8])
	b := officeOf(t, h)
	b.login()
	if _, page := b.get("/office/people"); !strings.Contains(page, "12 erasures wait for an answer") {
		t.Error("the people's page does not ask")
	}
	_, page := b.get("/office/waiting")
	if !strings.Contains(page, "12 people would lose their fingerprints") || !strings.Contains(page, "Pupil 19") || strings.Contains(page, "Pupil 07") {
		t.Errorf("the page of erasures that wait:\n%s", page)
	}
	if status, _ := b.post("/office/waiting/reject", nil); status != http.StatusSeeOther && status != http.StatusOK {
		t.Errorf("rejecting: %d", status)
	}
	wantTally(t, h, ids, "taken back", 20, 0, 0)
	if status, _ := b.post("/office/waiting/confirm", nil); status != http.StatusUnprocessableEntity {
		t.Errorf("confirming what waits no more: %d", status)
	}
}
