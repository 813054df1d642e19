package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/pin"
	"github.com/tillprint/tillprint/sync/register"
)

func TestASchoolIsAddedInOneTransaction(t *testing.T) {
	h, _ := newHub(t)
	people := make([]NewSubject, 1200)
	for i := range people {
		people[i] = pupil(fmt.Sprintf("Pupil %d", i))
	}
	began := time.Now()
	added, err := h.AddSubjects(t.Context(), "oakfield", "office", people)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("1,200 pupils with 3 statements and a PIN each: %v", time.Since(began))
	pins := map[string]bool{}
	for _, a := range added {
		if !regexp.MustCompile(`^[0-9]{6}$`).MatchString(a.PIN) || pins[a.PIN] || obvious(a.PIN) {
			t.Fatalf("PIN %q", a.PIN)
		}
		pins[a.PIN] = true
	}
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	permits := 0
	for _, e := range x.sync(0) {
		if e.Subject != nil && e.Subject.Decision == consent.Permit {
			permits++
		}
	}
	if permits != len(people) {
		t.Errorf("%d entries permit, want %d", permits, len(people))
	}
}

func TestAPINVerifies(t *testing.T) {
	h, _ := newHub(t)
	id := addPupil(t, h, "Ada Byron")
	pins, err := h.DrawPINs(t.Context(), "oakfield", "office", []consent.SubjectID{id})
	if err != nil {
		t.Fatal(err)
	}
	who, err := loadSubject(t.Context(), h.db, "oakfield", id)
	if err != nil {
		t.Fatal(err)
	}
	pepper, err := h.keys.sitePepper("oakfield")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(who.person.pinIndex, pin.Index(pepper, []byte(pins[0].PIN))) || who.standing.Person != 2 {
		t.Errorf("the stored index is another PIN's, or the terminals were not told (revision %d)", who.standing.Person)
	}
	for digits, want := range map[string]bool{pins[0].PIN: true, "000000": false, "": false} {
		if ok, err := verify(who.person.pinVerifier, pin.Secret(pepper, []byte(digits))); ok != want || err != nil {
			t.Errorf("verifying %q: %v %v", digits, ok, err)
		}
		if ok, err := verify(who.person.pinVerifier, []byte(digits)); ok || err != nil {
			t.Errorf("%q verifies without the pepper: %v: a stolen database could be tried against the digits alone", digits, err)
		}
	}
	if _, err := h.DrawPINs(t.Context(), "oakfield", "office", []consent.SubjectID{id, id}); !errors.Is(err, ErrInvalid) {
		t.Errorf("two PINs for one pupil: %v", err)
	}
}

// TestPINsCostWhatTheSlowestTerminalBears: unless a cost is configured, the terminals' measurements decide.
func TestPINsCostWhatTheSlowestTerminalBears(t *testing.T) {
	h, _ := newHub(t)
	h.measured = true
	s := serve(t, h.Handler(), h)
	want := func(cost pin.Cost) {
		t.Helper()
		if got, err := h.pinCost(t.Context(), "oakfield"); err != nil || got != Cost(cost) {
			t.Errorf("a PIN costs %v, %v; want %v", got, err, cost)
		}
	}
	want(pin.Least) // nobody has measured
	quick, slow := pin.Cost{Passes: 4, KiB: 64 << 10, Threads: 1}, pin.Cost{Passes: 5, KiB: 19 << 10, Threads: 1}
	till1, till2 := joined(t, h, s, "oakfield", "till-1"), joined(t, h, s, "oakfield", "till-2")
	till1.ask("POST", "/v1/status", register.Status{At: start, PINCost: quick}, nil)
	till2.ask("POST", "/v1/status", register.Status{At: start}, nil)
	want(quick)
	till2.ask("POST", "/v1/status", register.Status{At: start, PINCost: slow}, nil)
	want(slow)
	for _, bad := range []pin.Cost{{Passes: 1, KiB: 8, Threads: 1}, {Passes: 64, KiB: 1 << 20, Threads: 1}, {Passes: 2, KiB: 32 << 10, Threads: 4}} {
		body, err := json.Marshal(register.Status{At: start, PINCost: bad})
		if err != nil {
			t.Fatal(err)
		}
		if status, _ := till2.raw("POST", "/v1/status", body, true); status != 400 {
			t.Errorf("a cost of %v was taken: %d", bad, status)
		}
	}
	if err := h.RemoveTerminal(t.Context(), "oakfield", "office", "till-2"); err != nil {
		t.Fatal(err)
	}
	want(quick)
}

// TestOutdatedPINsAreFoundAndDrawnAnew: a school that was imported before its first terminal joined has the cheapest PINs, and a slower
// terminal that joins later makes others too slow; one press draws them anew.
func TestOutdatedPINsAreFoundAndDrawnAnew(t *testing.T) {
	h, _ := newHub(t)
	h.measured = true
	s := serve(t, h.Handler(), h)
	ada, noah := addPupil(t, h, "Ada Byron"), addPupil(t, h, "Noah Ng")
	for _, id := range []consent.SubjectID{ada, noah} {
		if _, err := h.DrawPINs(t.Context(), "oakfield", "office", []consent.SubjectID{id}); err != nil {
			t.Fatal(err)
		}
	}
	want := func(cheap, slow []consent.SubjectID) {
		t.Helper()
		fit, err := h.PINFit(t.Context(), "oakfield")
		if err != nil || fit.PINs != 2 || !slices.Equal(fit.Cheap, cheap) || !slices.Equal(fit.Slow, slow) {
			t.Errorf("%+v, %v", fit, err)
		}
	}
	want(nil, nil) // nobody has measured
	office := officeOf(t, h)
	office.login()
	people := func(hint bool) {
		t.Helper()
		if status, page := office.get("/office/people"); status != 200 || strings.Contains(page, `value="outdated"`) != hint {
			t.Errorf("the page tells of outdated PINs: %t", !hint)
		}
	}
	people(false)
	quick, slow := joined(t, h, s, "oakfield", "till-1"), joined(t, h, s, "oakfield", "till-2")
	quick.ask("POST", "/v1/status", register.Status{At: start, PINCost: pin.Cost{Passes: 6, KiB: 19 << 10, Threads: 1}}, nil)
	both := slices.Sorted(slices.Values([]consent.SubjectID{ada, noah}))
	want(both, nil)
	people(true)
	if status, page := office.post("/office/pins", url.Values{"whom": {"outdated"}, "sure": {"yes"}}); status != 200 || strings.Count(page, `class="pin"`) != 2 {
		t.Fatalf("drawing anew: %d %s", status, page)
	}
	want(nil, nil)
	people(false)
	slow.ask("POST", "/v1/status", register.Status{At: start, PINCost: pin.Cost{Passes: 3, KiB: 19 << 10, Threads: 1}}, nil)
	if _, err := h.DrawPINs(t.Context(), "oakfield", "office", []consent.SubjectID{ada}); err != nil {
		t.Fatal(err)
	}
	want(nil, []consent.SubjectID{noah})
	people(true)
}

func TestImportersRefuseWhatIsNoConsent(t *testing.T) {
	h, _ := newHub(t)
	change := func(f func(*consent.Statement)) []NewSubject {
		p := pupil("Ada Byron")
		f(&p.Statements[2])
		return []NewSubject{p}
	}
	crowd := make([]NewSubject, 20)
	for i := range crowd {
		crowd[i] = pupil(fmt.Sprint(i))
		crowd[i].Statements[2].Evidence = "letter to all parents"
	}
	cases := map[string]struct {
		people []NewSubject
		want   string
	}{
		"an opt-out that did not come back": {change(func(s *consent.Statement) { s.Form = consent.OptOut }), "A8"},
		"silence":                           {change(func(s *consent.Statement) { s.Form = consent.Implied }), "A8"},
		"no evidence":                       {change(func(s *consent.Statement) { s.Evidence = "" }), "E1"},
		"no notice":                         {change(func(s *consent.Statement) { s.Notice = "" }), "A9"},
		"no date":                           {change(func(s *consent.Statement) { s.At = time.Time{} }), "date"},
		"one letter for everybody":          {crowd, "A8"},
		"a pupil without an 18th birthday":  {[]NewSubject{{Class: consent.Pupil, Name: "Ada"}}, "A2"},
		"no class":                          {[]NewSubject{{Name: "Ada"}}, "class"},
		"no name":                           {[]NewSubject{{Class: consent.Adult}}, "name"},
	}
	for name, c := range cases {
		_, err := h.AddSubjects(t.Context(), "oakfield", "office", c.people)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if all, err := h.List(t.Context(), "oakfield", "", 10); err != nil || len(all) != 0 {
		t.Errorf("a refused list left %d people: %v", len(all), err)
	}
}

func TestNobodyIsPermittedByDefault(t *testing.T) {
	h, _ := newHub(t)
	added, err := h.AddSubjects(t.Context(), "oakfield", "office", []NewSubject{{Class: consent.Adult, Name: "Cook"}})
	if err != nil {
		t.Fatal(err)
	}
	d, err := h.Subject(t.Context(), "oakfield", added[0].Subject)
	if err != nil || d.Standing.Decision != consent.Erase {
		t.Errorf("A5: %+v %v", d, err)
	}
}

func TestBiometricsOffErasesEverybody(t *testing.T) {
	h, _ := newHub(t)
	id := addPupil(t, h, "Ada Byron")
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	x.sync(0)
	if err := h.SetProfile(t.Context(), "oakfield", "office", consent.Profile{Purpose: consent.CanteenIdentification, Modality: consent.Finger}); err != nil {
		t.Fatal(err)
	}
	entries := x.sync(0)
	plan := register.NewPlan(entries, "till-1")
	if plan.Profile == nil || plan.Profile.Biometrics || !slices.Equal(decisions(entries, id), []consent.Decision{consent.Erase}) {
		t.Errorf("A16: %+v", plan)
	}
}

func TestWhyAParentWasNotAskedStaysHere(t *testing.T) {
	h, _ := newHub(t)
	p := pupil("Ada Byron")
	p.Statements[1] = consent.Statement{By: "g_2", Capacity: consent.Parent, Kind: consent.Exempt, Form: consent.Written, At: start, Ground: consent.Welfare,
		TakenBy: "head", Purpose: consent.CanteenIdentification, Modality: consent.Finger}
	added, err := h.AddSubjects(t.Context(), "oakfield", "office", []NewSubject{p})
	if err != nil {
		t.Fatal(err)
	}
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	for _, e := range x.sync(0) {
		if e.Kind == register.KindTerminals {
			continue // keys, whose letters may spell any short name
		}
		text, err := e.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"s.27", "welfare", "exempt", "head", "Ada", "Parent", "g_2"} {
			if strings.Contains(string(text), secret) {
				t.Errorf("entry %s tells %q", text, secret)
			}
		}
	}
	if d, err := h.Subject(t.Context(), "oakfield", added[0].Subject); err != nil || d.Standing.Decision != consent.Permit {
		t.Errorf("%+v %v", d, err)
	}
}

func TestPasswordCostsAreBounded(t *testing.T) {
	for _, phc := range []string{"", "x", "$argon2id$v=19$m=4294967295,t=1,p=1$AAAA$AAAA", "$argon2id$v=19$m=8,t=0,p=1$AAAA$AAAA",
		"$argon2id$v=18$m=8,t=1,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAA", "$argon2id$v=19$m=8,t=1,p=1$AAAA$AA"} {
		if ok, err := verify(phc, []byte("x")); ok || err == nil {
			t.Errorf("%q was accepted: %v %v", phc, ok, err)
		}
	}
}

// C1: a site may have PINs of four digits, which its terminals take only behind a name.
func TestPINsOfFourDigits(t *testing.T) {
	h, _ := newHub(t)
	p := permitting
	for _, digits := range []int{3, 5, 7} {
		p.PINDigits = digits
		if err := h.SetProfile(t.Context(), "oakfield", "office", p); !errors.Is(err, ErrInvalid) {
			t.Errorf("%d digits: %v", digits, err)
		}
	}
	p.PINDigits = 4
	if err := h.SetProfile(t.Context(), "oakfield", "office", p); err != nil {
		t.Fatal(err)
	}
	people := make([]NewSubject, 60)
	for i := range people {
		people[i] = pupil(fmt.Sprintf("Pupil %d", i))
	}
	added, err := h.AddSubjects(t.Context(), "oakfield", "office", people)
	if err != nil {
		t.Fatal(err)
	}
	pins := map[string]bool{}
	for _, a := range added {
		if !regexp.MustCompile(`^[0-9]{4}$`).MatchString(a.PIN) || pins[a.PIN] || obvious(a.PIN) {
			t.Fatalf("PIN %q", a.PIN)
		}
		pins[a.PIN] = true
	}
	x := joined(t, h, serve(t, h.Handler(), h), "oakfield", "till-1")
	if plan := register.NewPlan(x.sync(0), x.name); plan.Profile == nil || plan.Profile.PINDigits != 4 {
		t.Errorf("terminals are told %+v", plan.Profile)
	}
}
