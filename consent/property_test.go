package consent

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var (
	kinds      = []Kind{Notified, Consent, Withdrawal, Objection, Refusal, Exempt}
	forms      = []Form{Written, Written, Written, Portal, Verbal, OptOut, Implied, "fax", ""}
	capacities = []Capacity{Parent, Parent, Holder, Carer, LocalAuthority, VoluntaryOrganisation, Self, Child, "uncle", ""}
	speakers   = []string{"mother", "mother", "father", "gran", "la", "stranger", string(pupilID), ""}
)

func genDate(t *rapid.T, label string) Date {
	if rapid.Bool().Draw(t, label+" unknown") {
		return Date{}
	}
	return DateOf(day(rapid.IntRange(-40, 400).Draw(t, label)))
}

func genStatement(t *rapid.T) Statement {
	s := Statement{
		ID:       rapid.StringMatching("[a-d]?[a-z]{6}").Draw(t, "id"),
		By:       rapid.SampledFrom(speakers).Draw(t, "by"),
		Capacity: rapid.SampledFrom(capacities).Draw(t, "capacity"),
		Kind:     rapid.SampledFrom(kinds).Draw(t, "kind"),
		Form:     rapid.SampledFrom(forms).Draw(t, "form"),
		At:       now.Add(time.Duration(rapid.IntRange(-40*24, 48).Draw(t, "hours")) * time.Hour),
		Purpose:  rapid.SampledFrom([]string{CanteenIdentification, CanteenIdentification, CanteenIdentification, "library", "typo", ""}).Draw(t, "purpose"),
		Modality: rapid.SampledFrom([]string{Finger, Finger, Finger, "face", ""}).Draw(t, "modality"),
		Notice:   rapid.SampledFrom([]string{"n2", "n2", "n2", "n1", "n0", ""}).Draw(t, "notice"),
		Evidence: rapid.SampledFrom([]string{"doc:1", "doc:1", ""}).Draw(t, "evidence"),
		TakenBy:  "office",
		Ground:   rapid.SampledFrom([]Ground{"", NotFound, Welfare}).Draw(t, "ground"),
		ReviewBy: genDate(t, "review"),
	}
	if rapid.IntRange(0, 20).Draw(t, "undated") == 0 {
		s.At = time.Time{}
	}
	return s
}

// genStatements is often a permitting set with a few statements on top, so that the properties are not all about Erase.
func genStatements(t *rapid.T) []Statement {
	var set []Statement
	if rapid.Bool().Draw(t, "from a permit") {
		set = told()
	}
	return append(set, rapid.SliceOfN(rapid.Custom(genStatement), 0, 6).Draw(t, "statements")...)
}

func genSubject(t *rapid.T) Subject {
	return Subject{ID: pupilID,
		Class:      rapid.SampledFrom([]Class{Pupil, Pupil, Pupil, Adult, UnknownClass}).Draw(t, "class"),
		Eighteenth: rapid.SampledFrom([]Date{{2032, 5, 2}, {2032, 2, 29}, DateOf(day(5)), DateOf(day(-3)), {}}).Draw(t, "eighteenth"),
		Responsible: rapid.SampledFrom([][]Responsible{pupil().Responsible, {{"mother", Parent, true}},
			{{"la", LocalAuthority, false}, {"gran", Carer, false}}, nil}).Draw(t, "responsible"),
		Roster:     rapid.SampledFrom([]Roster{Current, Current, Current, Leaver, UnknownRoster}).Draw(t, "roster"),
		LeavesOn:   genDate(t, "leaves"),
		LastUsed:   genDate(t, "used"),
		Silent:     rapid.IntRange(0, 9).Draw(t, "silent") == 0,
		Restricted: rapid.IntRange(0, 9).Draw(t, "restricted") == 0,
		Hold:       rapid.IntRange(0, 9).Draw(t, "hold") == 0,
	}
}

func genProfile(t *rapid.T) Profile {
	p := site()
	p.GraceDays = rapid.SampledFrom([]int{0, 14}).Draw(t, "grace")
	p.AgreementAge = rapid.SampledFrom([]int{0, 12, 13}).Draw(t, "agreement")
	p.UnusedDays = rapid.SampledFrom([]int{0, 0, 15, 300}).Draw(t, "unused")
	p.Nation = rapid.SampledFrom([]Nation{"", EnglandWales, Scotland, NorthernIreland, "elsewhere"}).Draw(t, "nation")
	p.OwnConsentAge = rapid.SampledFrom([]int{0, 0, 12, 16}).Draw(t, "own consent")
	return p
}

// TestI4NothingPermitsWithoutAnEntitledWrittenConsent: what is unknown, unsigned for or said by somebody else never permits.
func TestI4NothingPermitsWithoutAnEntitledWrittenConsent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, set, p := genSubject(t), genStatements(t), genProfile(t)
		d, reasons := Decide(s, set, p, now)
		if d != Permit {
			return
		}
		child := !s.Eighteenth.Reached(now) && !(s.Eighteenth.IsZero() && s.Class == Adult)
		early := p.OwnConsentAge > 0 && (p.Nation == Scotland || p.Nation == NorthernIreland) && s.Eighteenth.Anniversary(p.OwnConsentAge-18).Reached(now)
		child = child && !early
		good := slices.ContainsFunc(set, func(st Statement) bool {
			formal := st.Kind == Consent && (st.Form == Written || st.Form == Portal) && !st.At.IsZero() && !st.At.After(now) &&
				st.Purpose == CanteenIdentification && st.Modality == Finger && st.Notice == "n2" && st.Evidence != ""
			listed := slices.ContainsFunc(s.Responsible, func(r Responsible) bool { return r.ID == st.By && r.Capacity == st.Capacity })
			return formal && (child && listed || !child && st.Capacity == Self || early && st.Capacity == Child)
		})
		refused := slices.ContainsFunc(set, func(st Statement) bool {
			return st.Capacity == Child && st.Kind == Refusal && st.At.IsZero() && st.Purpose == CanteenIdentification && st.Modality == Finger
		})
		if !good || refused || s.Silent || s.Roster != Current || s.Restricted || s.Hold {
			t.Fatalf("permits: %v", reasons)
		}
	})
}

// TestI9AddingANoNeverHelps: no further refusal, objection or withdrawal moves a decision towards permit.
func TestI9AddingANoNeverHelps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, set, p := genSubject(t), genStatements(t), genProfile(t)
		no := genStatement(t)
		no.Kind = rapid.SampledFrom([]Kind{Withdrawal, Objection, Refusal, "unheard-of"}).Draw(t, "no")
		before, _ := Decide(s, set, p, now)
		after, reasons := Decide(s, append(slices.Clone(set), no), p, now)
		if after > before {
			t.Fatalf("from %v to %v by a %s: %v", before, after, no.Kind, reasons)
		}
	})
}

func TestOrderAndRepetitionDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, set, p := genSubject(t), genStatements(t), genProfile(t)
		want, wantReasons := Decide(s, set, p, now)
		mixed := rapid.Permutation(set).Draw(t, "mixed")
		if len(set) > 0 {
			mixed = append(mixed, rapid.SliceOf(rapid.SampledFrom(set)).Draw(t, "again")...)
		}
		got, reasons := Decide(s, mixed, p, now)
		if got != want || !slices.Equal(reasons, wantReasons) {
			t.Fatalf("got %v %v, want %v %v", got, reasons, want, wantReasons)
		}
	})
}

// What is not understood never makes a decision laxer, nor leaves a permit.
func TestI4UnknownKindsNeverPermit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, set, p := genSubject(t), genStatements(t), genProfile(t)
		odd := genStatement(t)
		odd.Kind = Kind(rapid.StringMatching("[a-z-]{0,12}").Draw(t, "kind"))
		if odd.Kind.known() {
			t.Skip("a known kind")
		}
		if d, _ := Decide(s, append(set, odd), p, now); d == Permit {
			t.Fatal("permits")
		}
	})
}

// A hold or a restriction never permits, whatever else is said; a site without biometrics erases or holds.
func TestStateOnlyNarrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, set, p := genSubject(t), genStatements(t), genProfile(t)
		s.Hold = false
		d, _ := Decide(s, set, p, now)
		for _, change := range []func(*Subject){
			func(s *Subject) { s.Restricted = true }, func(s *Subject) { s.Silent = true }, func(s *Subject) { s.Roster = Leaver }, func(s *Subject) { s.Roster = UnknownRoster },
		} {
			stricter := s
			change(&stricter)
			if s.Roster == Leaver && stricter.Roster == UnknownRoster {
				continue
			}
			if got, reasons := Decide(stricter, set, p, now); got > d || got == Permit {
				t.Fatalf("from %v to %v: %v", d, got, reasons)
			}
		}
		s.Hold = true
		if got, _ := Decide(s, set, p, now); got != Pause {
			t.Fatalf("held: %v", got)
		}
	})
}

// At the start of the day of every end, Decide says what the end says; and at no other time is it stricter than the ends promised,
// unless a statement from the future comes into play.
func TestEndsAgreeWithDecide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, set, p := genSubject(t), genStatements(t), genProfile(t)
		last, _ := Decide(s, set, p, now)
		ends := Ends(s, set, p, now)
		for _, e := range ends {
			got, _ := Decide(s, set, p, e.On.Start(london))
			if got != e.Decision || e.Decision >= last || e.On.Reached(now) {
				t.Fatalf("end %v after %v: Decide says %v", e, last, got)
			}
			last = e.Decision
		}
		if slices.ContainsFunc(set, func(st Statement) bool { return st.At.After(now) }) {
			return
		}
		probe := day(rapid.IntRange(1, 500).Draw(t, "days on"))
		promised, _ := Decide(s, set, p, now)
		for _, e := range ends {
			if e.On.Reached(probe) {
				promised = e.Decision
			}
		}
		if got, reasons := Decide(s, set, p, probe); got < promised {
			t.Fatalf("on %v the ends promise %v, Decide says %v: %v", DateOf(probe), promised, got, reasons)
		}
	})
}

func TestNarrow(t *testing.T) {
	if Narrow(Permit, Pause) != Pause || Narrow(Erase, Permit) != Erase || Narrow(Permit, 7) != Erase {
		t.Error("Narrow does not take the stricter")
	}
}

func FuzzStatementJSON(f *testing.F) {
	for _, s := range told(child(Refusal, -1)) {
		b, err := json.Marshal(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"at":"2026-02-30T00:00:00Z"}`))
	f.Add([]byte(`{"review_by":"2027-02-29"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Statement
		if json.Unmarshal(b, &s) != nil {
			return
		}
		d, _ := Decide(pupil(), []Statement{s}, site(), now)
		if d == Permit {
			t.Fatalf("one statement permits: %+v", s)
		}
		again, err := json.Marshal(s)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		var back Statement
		if err := json.Unmarshal(again, &back); err != nil || !same(s, back) {
			t.Fatalf("read back differently (%v): %s", err, cmp.Diff(s, back))
		}
	})
}
