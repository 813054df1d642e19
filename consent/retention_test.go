package consent

import (
	"testing"

	"pgregory.net/rapid"
)

// TestA5Silent: a list that has not come, came too long ago or is of another day than it can be is no list.
func TestA5Silent(t *testing.T) {
	today := DateOf(now)
	for _, tt := range []struct {
		name  string
		days  int
		heard Date
		want  bool
	}{
		{"a site that keeps its list by hand", 0, Date{}, false},
		{"never heard", 7, Date{}, true},
		{"today", 7, today, false},
		{"six days ago", 7, today.AddDays(-6), false},
		{"seven days ago", 7, today.AddDays(-7), true},
		{"tomorrow, from a list of another time zone", 7, today.AddDays(1), false},
		{"next week, by a clock that was wrong then or is now", 7, today.AddDays(8), true},
	} {
		if got := (Profile{SilentDays: tt.days}).Silent(tt.heard, now); got != tt.want {
			t.Errorf("%s: silent is %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestH1Mass: a few are never a mass, more than the share always is, and a smaller share is never less strict.
func TestH1Mass(t *testing.T) {
	for _, tt := range []struct {
		percent, n, of int
		want           bool
	}{
		{0, 10, 10, false}, // all of a small class
		{0, 11, 11, true},
		{0, 120, 1200, false},
		{0, 121, 1200, true},
		{50, 121, 1200, false},
		{50, 601, 1200, true},
		{100, 1200, 1200, false}, // the site wants no guard
	} {
		if got := (Profile{MassPercent: tt.percent}).Mass(tt.n, tt.of); got != tt.want {
			t.Errorf("%d of %d at %d %%: %v, want %v", tt.n, tt.of, tt.percent, got, tt.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		percent, of := rapid.IntRange(1, 100).Draw(t, "percent"), rapid.IntRange(1, 2_000_000).Draw(t, "of")
		n := rapid.IntRange(0, of).Draw(t, "n")
		p := Profile{MassPercent: percent}
		if p.Mass(n, of) && !p.Mass(min(n+1, of), of) || p.Mass(n, of) && !(Profile{MassPercent: max(1, percent-1)}).Mass(n, of) {
			t.Fatalf("%d of %d at %d %%: more or a smaller share is less strict", n, of, percent)
		}
	})
}

// TestA12ASpokenNoIsNeverMadeToWait: whatever else erases, a person's own no is among the reasons, and without one nothing is taken for it.
func TestA12ASpokenNoIsNeverMadeToWait(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, p := pupil(), site()
		s.Roster = rapid.SampledFrom([]Roster{Current, Leaver, UnknownRoster}).Draw(t, "roster")
		s.Silent, p.Biometrics = rapid.Bool().Draw(t, "silent"), rapid.Bool().Draw(t, "biometrics")
		s.LeavesOn, s.LastUsed = genDate(t, "leaves"), genDate(t, "used")
		p.UnusedDays = rapid.SampledFrom([]int{0, 15}).Draw(t, "unused")
		_, reasons := Decide(s, told(), p, now)
		if Spoken(rowsOf(reasons)) {
			t.Fatalf("%v is taken for somebody's own word", reasons)
		}
		no := rapid.SampledFrom([]Statement{child(Refusal, 0), father(Objection, 0), mother(Withdrawal, 0), mother(Withdrawal, -20, form(Verbal))}).Draw(t, "no")
		if d, reasons := Decide(s, told(no), p, now); d != Erase || !Spoken(rowsOf(reasons)) {
			t.Fatalf("%v for %v does not count as somebody's own word", d, reasons)
		}
	})
}

func rowsOf(reasons []Reason) []string {
	rows := make([]string, len(reasons))
	for i, r := range reasons {
		rows[i] = r.Row
	}
	return rows
}
