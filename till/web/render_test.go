package web

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/tillprint/tillprint/till"
)

// views has one view of every state, with awkward words in it.
func views() []till.View {
	p := &till.Proposal{ID: "abc", Subject: "p_aaaaaaaaaaaaaaaaaaaaaaaaaa", Name: "Zoë <b>O'Brien</b>", Form: `7"B`, Photo: true,
		Dietary: []string{"Nuts", "<i>Milk</i>"}, ServedToday: time.Unix(1e9, 0), Expires: time.Now().Add(till.ProposalLife), Why: "Because <x>."}
	e := &till.Enrolment{Subject: p.Subject, Name: p.Name, Form: p.Form, Finger: "right index finger", Nth: 1, Fingers: 2, Press: 1, Presses: 3, Alike: "Somebody <else>"}
	health := []till.Lamp{{Part: "Sensor", Words: "ready"}, {Part: "Hub", Words: "not reached since 12:01", Level: till.Warn}, {Part: "Disk", Words: "full", Level: till.Bad}}
	var all []till.View
	for s := till.Idle; s <= till.Enrolled; s++ {
		v := till.View{State: s, Say: "Say <this>.", Advice: []string{"Dry your <finger>."}, Keyed: 2, PINLength: 6, Proposal: p, Enrolment: e, Health: health}
		all = append(all, v)
		v.Offer, v.Say = true, ""
		all = append(all, v)
	}
	return all
}

// TestEveryStateRenders: no state of the till breaks a page, and nothing that
// came from a record becomes markup.
func TestEveryStateRenders(t *testing.T) {
	for _, v := range views() {
		for d := till.Welcome; d <= till.Thanks; d++ {
			v.Pupil = till.PupilView{Display: d, Name: "Zoë <b>", Done: 1, Of: 3}
			for _, name := range []string{"operator.html", "pupil.html", "desk", "keyed", "say", "health", "pupil-view"} {
				var b bytes.Buffer
				if err := templates.ExecuteTemplate(&b, name, page{"/till", "St <Mary>", v, true}); err != nil {
					t.Fatalf("%v, %s: %v", v.State, name, err)
				}
				for _, raw := range []string{"<b>O", "<i>Milk", "<x>", "<this>", "<finger>", "<else>", "<Mary>", "style=", "onclick", "javascript:"} {
					if strings.Contains(b.String(), raw) {
						t.Errorf("%v, %s holds %q", v.State, name, raw)
					}
				}
			}
		}
	}
}

// TestNoRouteMark is C4 and C5 for the pages: what is shown of a proposal does
// not depend on what it rests on, but for the answer to "Why this pupil?".
func TestNoRouteMark(t *testing.T) {
	render := func(why, name string) string {
		v := till.View{State: till.Proposed, Proposal: &till.Proposal{ID: "abc", Name: "Amina Khan", Why: why}, Pupil: till.PupilView{Display: till.Hello, Name: "Amina K."}}
		var b bytes.Buffer
		if err := templates.ExecuteTemplate(&b, name, page{"", "", v, false}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if render("by finger", "pupil-view") != render("by PIN", "pupil-view") {
		t.Error("the pupil's display tells the route")
	}
	desk := render("WHY", "desk")
	inside, rest := desk, ""
	if before, after, ok := strings.Cut(desk, "<details>"); ok {
		d, tail, _ := strings.Cut(after, "</details>")
		inside, rest = d, before+tail
	}
	if !strings.Contains(inside, "WHY") || strings.Contains(rest, "WHY") {
		t.Error("the reason is not where only who asks can see it")
	}
	for _, word := range []string{"finger", "Finger", "PIN", "keyed"} {
		if strings.Contains(rest, word) {
			t.Errorf("a proposal shows %q", word)
		}
	}
}

func TestInitialsAndBar(t *testing.T) {
	for name, want := range map[string]string{"": "", "Amina Khan": "AK", "ana de la órbigny": "AÓ", "Zoë": "Z"} {
		if got := initials(name); got != want {
			t.Errorf("initials of %q: %q", name, got)
		}
	}
	if got := secondsLeft(time.Now().Add(-time.Hour)); got != "left-0" {
		t.Errorf("a bar that has run out: %s", got)
	}
	if got := secondsLeft(time.Now().Add(time.Hour)); got != "left-5" {
		t.Errorf("a bar that has not begun: %s", got)
	}
}

func TestEventLines(t *testing.T) {
	var b bytes.Buffer
	writeEvent(&b, "desk", []byte("one\r\ntwo\n\nthree"))
	writeEvent(&b, "say", nil)
	if want := "event: desk\ndata: one\ndata: two\ndata: \ndata: three\n\nevent: say\ndata:\n\n"; b.String() != want {
		t.Errorf("got %q", b.String())
	}
}
