package consent

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestAnniversary(t *testing.T) {
	tests := []struct {
		birth Date
		years int
		want  Date
	}{
		{Date{2008, 2, 29}, 18, Date{2026, 3, 1}}, // no leap year: of age on 1 March
		{Date{2008, 2, 29}, 16, Date{2024, 2, 29}},
		{Date{2008, 2, 28}, 18, Date{2026, 2, 28}},
		{Date{2008, 12, 31}, 18, Date{2026, 12, 31}},
		{Date{2026, 3, 1}, -5, Date{2021, 3, 1}},
		{Date{}, 18, Date{}},
	}
	for _, tt := range tests {
		if got := tt.birth.Anniversary(tt.years); got != tt.want {
			t.Errorf("%v and %d years: got %v, want %v", tt.birth, tt.years, got, tt.want)
		}
	}
}

func TestDateInTheSitesZone(t *testing.T) {
	birthday := Date{2026, 7, 1}
	eve := time.Date(2026, 6, 30, 23, 30, 0, 0, time.UTC) // half past midnight on 1 July in London
	if birthday.Reached(eve) || !birthday.Reached(eve.In(london)) || !birthday.On(eve.In(london)) {
		t.Error("a date is not read in the location of the time")
	}
	havana, err := time.LoadLocation("America/Havana")
	if err != nil {
		t.Skip("no time zone data:", err)
	}
	summer := Date{2026, 3, 8} // summer time begins at midnight
	if start := summer.Start(havana); !summer.On(start) {
		t.Errorf("the day begins at %v", start)
	}
}

func TestParseDate(t *testing.T) {
	for _, s := range []string{"2026-02-29", "2026-13-01", "0000-01-01", "26-01-01", "2026-1-1", "2026-01-01T00:00:00Z", "x"} {
		if d, err := ParseDate(s); err == nil {
			t.Errorf("%q is read as %v", s, d)
		}
	}
	if d, err := ParseDate("2028-02-29"); err != nil || d != (Date{2028, 2, 29}) || d.String() != "2028-02-29" {
		t.Errorf("got %v, %v", d, err)
	}
}

func TestSubjectID(t *testing.T) {
	id, err := NewSubjectID(strings.NewReader("sixteen bytes!!!"))
	if err != nil {
		t.Fatal(err)
	}
	if back, err := ParseSubjectID(string(id)); err != nil || back != id || len(id) != 28 {
		t.Errorf("%q is read back as %q, %v", id, back, err)
	}
	for _, s := range []string{"", "p_", "p_" + strings.Repeat("A", 26), "p_" + strings.Repeat("a", 25), "p_" + strings.Repeat("a", 27),
		"q_" + strings.Repeat("a", 26), "p_" + strings.Repeat("a", 25) + "b" /* stray bits: a second spelling */, "p_" + strings.Repeat("a", 25) + "1"} {
		if id, err := ParseSubjectID(s); err == nil {
			t.Errorf("%q is read as %q", s, id)
		}
	}
	if _, err := NewSubjectID(bytes.NewReader(nil)); err == nil {
		t.Error("a pseudonym without randomness")
	}
}

func TestSubjectJSON(t *testing.T) {
	const want = `{"id":"p_aaaaaaaaaaaaaaaaaaaaaaaaaa","class":"pupil","eighteenth":"2032-05-02","responsible":[` +
		`{"id":"mother","capacity":"parent","parental_responsibility":true},{"id":"father","capacity":"parent","parental_responsibility":true}],"roster":"current"}`
	b, err := json.Marshal(pupil())
	if err != nil || string(b) != want {
		t.Fatalf("got %s, %v", b, err)
	}
	var d Decision
	if err := json.Unmarshal([]byte(`"allow"`), &d); err == nil || d != Erase {
		t.Errorf("an unknown decision is read as %v, %v", d, err)
	}
}

func TestValidate(t *testing.T) {
	if err := mother(Consent, -1).Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Statement){
		"no id":          func(s *Statement) { s.ID = "" },
		"kind":           func(s *Statement) { s.Kind = "yes" },
		"form":           form("fax"),
		"capacity":       func(s *Statement) { s.Capacity = "uncle" },
		"nobody":         func(s *Statement) { s.By = "" },
		"undated":        at(time.Time{}),
		"review":         review(Date{2027, 2, 29}),
		"long":           notice(strings.Repeat("n", 201)),
		"exempt, no why": func(s *Statement) { s.Kind = Exempt },
	} {
		if err := mother(Consent, -1, change).Validate(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
