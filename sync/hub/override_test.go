package hub

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

// TestI9NoOverride tries every way that the hub offers to bring a child back who
// has refused, in any order, and looks that the register never permits again.
func TestI9NoOverride(t *testing.T) {
	h, c := newHub(t)
	id := addPupil(t, h, "Ada Byron")
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	x.sync(0)
	if _, err := h.Refuse(t.Context(), "oakfield", "office", id); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	say := func(by string, capacity consent.Capacity, kind consent.Kind, form consent.Form) {
		h.AddStatement(ctx, "oakfield", "office", id, consent.Statement{By: by, Capacity: capacity, Kind: kind, Form: form, At: c.now(),
			Purpose: consent.CanteenIdentification, Modality: consent.Finger, Notice: notice, Evidence: "form", TakenBy: "head", Ground: consent.Welfare})
	}
	current, no, name, adult := consent.Current, false, "Ada King", consent.Date{Year: 2031, Month: 5, Day: 3}
	ways := map[string]func(){
		"a parent consents":              func() { say("g_1", consent.Parent, consent.Consent, consent.Written) },
		"the other parent consents":      func() { say("g_2", consent.Parent, consent.Consent, consent.Portal) },
		"a local authority consents":     func() { say("la", consent.LocalAuthority, consent.Consent, consent.Written) },
		"a stranger speaks as the child": func() { say("g_1", consent.Child, consent.Consent, consent.Written) },
		"an opt-out was not returned":    func() { say("g_1", consent.Parent, consent.Consent, consent.OptOut) },
		"a parent is exempted":           func() { say("g_2", consent.Parent, consent.Exempt, consent.Written) },
		"a parent refuses, then consents": func() {
			say("g_1", consent.Parent, consent.Refusal, consent.Verbal)
			say("g_1", consent.Parent, consent.Consent, consent.Written)
		},
		"the roster is set again":         func() { h.UpdateSubject(ctx, "oakfield", "office", id, Update{Roster: &current}) },
		"restriction and hold are lifted": func() { h.UpdateSubject(ctx, "oakfield", "office", id, Update{Restricted: &no, Hold: &no}) },
		"the record is corrected":         func() { h.UpdateSubject(ctx, "oakfield", "office", id, Update{Name: &name, Eighteenth: &adult}) },
		"an adult is added and consents":  func() { addAdultWhoConsents(t, h, id, say) },
		"the profile is set again":        func() { h.SetProfile(ctx, "oakfield", "office", permitting) },
		"biometrics go off and on": func() {
			h.SetProfile(ctx, "oakfield", "office", consent.Profile{})
			h.SetProfile(ctx, "oakfield", "office", permitting)
		},
		"a new PIN is drawn":                 func() { h.DrawPINs(ctx, "oakfield", "office", []consent.SubjectID{id}) },
		"the terminal is ordered to unblock": func() { h.Command(ctx, "oakfield", "office", "till-1", register.Command{Do: register.Unblock}) },
		"time passes":                        func() { c.move(time.Hour); h.Redecide(ctx) },
	}
	names := make([]string, 0, len(ways))
	for n := range ways {
		names = append(names, n)
	}
	slices.Sort(names)
	rapid.Check(t, func(rt *rapid.T) {
		for _, n := range rapid.SliceOfN(rapid.SampledFrom(names), 1, 3).Draw(rt, "ways") {
			ways[n]()
		}
		for _, d := range decisions(x.sync(0), id) {
			if d != consent.Erase {
				rt.Fatalf("after a refusal the register says %v", d)
			}
		}
	})
	d, err := h.Subject(ctx, "oakfield", id)
	if err != nil || d.Standing.Decision != consent.Erase {
		t.Errorf("in the end: %+v %v", d.Standing, err)
	}
}

func addAdultWhoConsents(t *testing.T, h *Hub, id consent.SubjectID, say func(string, consent.Capacity, consent.Kind, consent.Form)) {
	t.Helper()
	h.UpdateSubject(t.Context(), "oakfield", "office", id, Update{AddAdults: []Adult{{consent.Responsible{ID: "g_3", Capacity: consent.Holder, ParentalResponsibility: true}, "Third"}}})
	say("g_3", consent.Holder, consent.Notified, consent.Written)
	say("g_3", consent.Holder, consent.Consent, consent.Written)
}

func TestTheChildsOwnLaterYesIsNotAnOverride(t *testing.T) {
	h, c := newHub(t)
	id := addPupil(t, h, "Ada Byron")
	if d, err := h.Refuse(t.Context(), "oakfield", "office", id); err != nil || d != consent.Erase {
		t.Fatal(d, err)
	}
	c.move(time.Hour)
	d, err := h.AddStatement(t.Context(), "oakfield", "office", id, consent.Statement{By: string(id), Capacity: consent.Child, Kind: consent.Consent,
		Form: consent.Written, At: c.now(), Purpose: consent.CanteenIdentification, Modality: consent.Finger})
	if err != nil || d != consent.Permit {
		t.Errorf("with the parent's consent in force and the child's own yes: %v %v", d, err)
	}
}
