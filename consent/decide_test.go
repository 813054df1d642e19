package consent

import (
	"slices"
	"testing"
	"time"
)

var (
	london, _ = time.LoadLocation("Europe/London")
	now       = time.Date(2026, 10, 5, 12, 0, 0, 0, london)
	pupilID   = SubjectID("p_aaaaaaaaaaaaaaaaaaaaaaaaaa")
)

func day(n int) time.Time { return now.AddDate(0, 0, n) }

// site is a profile under which biometrics are in use.
func site() Profile {
	return Profile{Biometrics: true, Purpose: CanteenIdentification, Modality: Finger, Notices: []string{"n2"},
		Invalid: []string{"n0"}, Elsewhere: []string{"library", "face"}, GraceDays: 14}
}

// pupil is 12 years old and has a mother and a father with parental responsibility.
func pupil() Subject {
	return Subject{ID: pupilID, Class: Pupil, Eighteenth: Date{2032, 5, 2}, Roster: Current, Responsible: []Responsible{
		{"mother", Parent, true}, {"father", Parent, true}}}
}

func adult() Subject { return Subject{ID: pupilID, Class: Adult, Roster: Current} }

// said is a complete statement in writing, of the current notice, n days from now.
func said(by string, c Capacity, k Kind, n int, change ...func(*Statement)) Statement {
	s := Statement{ID: by + string(k) + day(n).Format(time.RFC3339), By: by, Capacity: c, Kind: k, Form: Written, At: day(n),
		Purpose: CanteenIdentification, Modality: Finger, Notice: "n2", Evidence: "doc:1", TakenBy: "office"}
	for _, f := range change {
		f(&s)
	}
	return s
}

func mother(k Kind, n int, change ...func(*Statement)) Statement {
	return said("mother", Parent, k, n, change...)
}

func father(k Kind, n int, change ...func(*Statement)) Statement {
	return said("father", Parent, k, n, change...)
}

func child(k Kind, n int) Statement { return said("", Child, k, n, form(Verbal)) }
func self(k Kind, n int, change ...func(*Statement)) Statement {
	return said("", Self, k, n, change...)
}

func form(f Form) func(*Statement)       { return func(s *Statement) { s.Form = f } }
func purpose(p string) func(*Statement)  { return func(s *Statement) { s.Purpose = p } }
func modality(m string) func(*Statement) { return func(s *Statement) { s.Modality = m } }
func notice(n string) func(*Statement)   { return func(s *Statement) { s.Notice = n } }
func at(t time.Time) func(*Statement)    { return func(s *Statement) { s.At = t } }
func review(d Date) func(*Statement)     { return func(s *Statement) { s.ReviewBy = d } }
func ground(g Ground) func(*Statement)   { return func(s *Statement) { s.Ground = g } }
func noEvidence(s *Statement)            { s.Evidence = "" }

// told are the notices to both parents, and mother's consent after them: enough to permit.
func told(more ...Statement) []Statement {
	return append([]Statement{mother(Notified, -30), father(Notified, -30), mother(Consent, -20)}, more...)
}

// subjectWith changes the pupil, profileWith the site.
func subjectWith(f func(*Subject)) Subject { s := pupil(); f(&s); return s }
func profileWith(f func(*Profile)) Profile { p := site(); f(&p); return p }

func TestDecideTruthTable(t *testing.T) {
	grownUp := func(e Date) Subject { return subjectWith(func(s *Subject) { s.Eighteenth = e }) }
	with := func(rs ...Responsible) Subject { return subjectWith(func(s *Subject) { s.Responsible = rs }) }
	today := DateOf(now)
	nation := func(n Nation, age int) Profile {
		return profileWith(func(p *Profile) { p.Nation, p.OwnConsentAge = n, age })
	}
	kept := func(days int) Profile { return profileWith(func(p *Profile) { p.UnusedDays = days }) }
	used := func(d Date) Subject { return subjectWith(func(s *Subject) { s.LastUsed = d }) }
	fourteen := grownUp(Date{2030, 5, 2})
	mine := []Statement{said("", Child, Consent, -1)}
	tests := []struct {
		row, name  string
		subject    Subject
		statements []Statement
		profile    Profile
		want       Decision
	}{
		{"A5", "nothing said", pupil(), nil, site(), Erase},
		{"A1", "notified, one parent consents in writing", pupil(), told(), site(), Permit},
		{"A1", "electronic form is writing", pupil(), []Statement{mother(Notified, -30, form(Portal)), father(Notified, -30), mother(Consent, -20, form(Portal))}, site(), Permit},
		{"A1", "consent by word of mouth only", pupil(), []Statement{mother(Notified, -30), father(Notified, -30), mother(Consent, -20, form(Verbal))}, site(), Erase},
		{"A2", "18 today, parents' consent only", grownUp(today), told(), site(), Pause},
		{"A2", "18 tomorrow", grownUp(today.AddDays(1)), told(), site(), Permit},
		{"A2", "18 and grace over", grownUp(today.AddDays(-14)), told(), site(), Erase},
		{"A2", "18 without grace", grownUp(today), told(), profileWith(func(p *Profile) { p.GraceDays = 0 }), Erase},
		{"A2", "18 with own consent", grownUp(today.AddDays(-1)), told(self(Consent, -1)), site(), Permit},
		{"A2", "18 with own consent from before", grownUp(today.AddDays(-1)), told(self(Consent, -10)), site(), Pause},
		{"A2", "18, a parent objects: no longer theirs to say", grownUp(today.AddDays(-5)), told(father(Objection, -2), self(Consent, -3)), site(), Permit},
		{"A2", "18, parents had objected: no grace", grownUp(today.AddDays(-5)), told(father(Objection, -30)), site(), Erase},
		{"A2", "birthday unknown", grownUp(Date{}), told(), site(), Pause},
		{"A2", "birthday no date", grownUp(Date{2031, 2, 29}), told(), site(), Pause},
		{"A2", "an adult by class who is under 18", subjectWith(func(s *Subject) { s.Class = Adult }), []Statement{self(Consent, -1)}, site(), Erase},
		{"A3", "child refuses by word of mouth", pupil(), told(child(Refusal, -1)), site(), Erase},
		{"A3", "child objects", pupil(), told(child(Objection, -1)), site(), Erase},
		{"A3", "child refused before the parents consented", pupil(), told(child(Refusal, -25)), site(), Erase},
		{"A3", "a five-year-old refuses", grownUp(Date{2039, 1, 1}), told(child(Refusal, -1)), site(), Erase},
		{"A3", "a refusal of nobody in particular is the child's", pupil(), told(said("", "", Refusal, -1)), site(), Erase},
		{"A3", "refusal, then both parents consent again", pupil(), told(child(Refusal, -10), mother(Consent, -1), father(Consent, -1)), site(), Erase},
		{"A3", "refusal, then the child's own yes", pupil(), told(child(Refusal, -10), child(Consent, -1)), site(), Permit},
		{"A3", "refusal and yes at the same time", pupil(), told(child(Refusal, -10), child(Consent, -10)), site(), Erase},
		{"A3", "yes, then refusal", pupil(), told(child(Consent, -10), child(Refusal, -1)), site(), Erase},
		{"A3", "the child's yes without a parent's", pupil(), []Statement{mother(Notified, -9), father(Notified, -9), child(Consent, -1)}, site(), Erase},
		{"A3", "undated refusal stands", pupil(), told(said("", Child, Refusal, 0, at(time.Time{})), child(Consent, -1)), site(), Erase},
		{"A3", "somebody else's yes does not lift it", pupil(), told(child(Refusal, -10), said("mother", Child, Consent, -1)), site(), Erase},
		{"A3", "refuses the library only", pupil(), told(said("", Child, Refusal, -1, purpose("library"))), site(), Permit},
		{"A3", "refuses something unknown: the canteen too", pupil(), told(said("", Child, Refusal, -1, purpose("kanteen"))), site(), Erase},
		{"A4", "enrolled pupil does not want to go on", pupil(), told(child(Consent, -10), child(Withdrawal, 0)), site(), Erase},
		{"A5", "roster unknown", subjectWith(func(s *Subject) { s.Roster = UnknownRoster }), told(), site(), Pause},
		{"A5", "roster value out of range", subjectWith(func(s *Subject) { s.Roster = 9 }), told(), site(), Pause},
		{"A5", "unknown kind of statement", pupil(), told(mother("revocation", -1)), site(), Pause},
		{"A5", "unknown form of consent", pupil(), []Statement{mother(Notified, -30), father(Notified, -30), mother(Consent, -20, form("fax"))}, site(), Pause},
		{"A5", "one number, two statements", pupil(), told(mother(Consent, -20, noEvidence)), site(), Pause},
		{"A5", "consent from the future", pupil(), []Statement{mother(Notified, -30), father(Notified, -30), mother(Consent, 1)}, site(), Pause},
		{"A5", "undated consent", pupil(), []Statement{mother(Notified, -30), father(Notified, -30), mother(Consent, 0, at(time.Time{}))}, site(), Pause},
		{"A5", "objection from the future counts now", pupil(), told(father(Objection, 3)), site(), Erase},
		{"A6", "the other parent objects in writing", pupil(), told(father(Objection, -1)), site(), Erase},
		{"A6", "the other parent had objected before", pupil(), told(father(Objection, -25)), site(), Erase},
		{"s.26(3)", "one of two consenting parents withdraws", pupil(), told(father(Consent, -19), father(Withdrawal, -1)), site(), Erase},
		{"s.26(3)", "a parent without responsibility objects", with(Responsible{"mother", Parent, true}, Responsible{"father", Parent, false}), told(father(Objection, -1)), site(), Erase},
		{"A6", "objection, then the same parent's new consent", pupil(), told(father(Objection, -10), father(Consent, -1)), site(), Permit},
		{"A6", "objection and consent at the same time", pupil(), told(father(Objection, -10), father(Consent, -10)), site(), Erase},
		{"A6", "objection, then the other parent's new consent", pupil(), told(father(Objection, -10), mother(Consent, -1)), site(), Erase},
		{"A6", "objection, then a verbal consent", pupil(), told(father(Objection, -10), father(Consent, -1, form(Verbal))), site(), Erase},
		{"A6", "objection by somebody unknown", pupil(), told(said("aunt", Parent, Objection, -1)), site(), Pause},
		{"A6", "objection by somebody unknown, then consent", pupil(), told(said("aunt", Parent, Objection, -2), said("aunt", Parent, Consent, -1)), site(), Pause},
		{"A6", "objection in an unknown form", pupil(), told(father(Objection, -1, form("fax"))), site(), Pause},
		{"A6", "a parent 'refuses'", pupil(), told(father(Refusal, -1)), site(), Erase},
		{"A6", "objection to the face camera only", pupil(), told(father(Objection, -1, modality("face"))), site(), Permit},
		{"A6", "objection without saying to what", pupil(), told(father(Objection, -1, purpose(""), modality(""))), site(), Erase},
		{"A7", "a parent without responsibility consents", with(Responsible{"mother", Parent, false}), told(), site(), Pause},
		{"A7", "somebody not on record consents", with(Responsible{"father", Parent, true}), told(), site(), Pause},
		{"A7", "a carer consents while there are parents", with(Responsible{"mother", Parent, true}, Responsible{"gran", Carer, false}),
			[]Statement{mother(Notified, -9), said("gran", Carer, Notified, -9), said("gran", Carer, Consent, -8)}, site(), Pause},
		{"A7", "somebody with parental responsibility consents", with(Responsible{"gran", Holder, true}),
			[]Statement{said("gran", Holder, Notified, -9), said("gran", Holder, Consent, -8)}, site(), Permit},
		{"A7", "consent in another capacity than on record", with(Responsible{"gran", Holder, true}),
			[]Statement{said("gran", Holder, Notified, -9), said("gran", Parent, Consent, -8)}, site(), Pause},
		{"A7", "no adults on record", with(), nil, site(), Erase},
		{"A7", "record contradicts itself", with(Responsible{"mother", Parent, true}, Responsible{"mother", Parent, false}), []Statement{mother(Notified, -9), mother(Consent, -8)}, site(), Pause},
		{"A8", "opt-out not returned", pupil(), []Statement{mother(Notified, -30), father(Notified, -30), mother(Consent, -20, form(OptOut))}, site(), Erase},
		{"A8", "silence", pupil(), []Statement{mother(Notified, -30), father(Notified, -30), mother(Consent, -20, form(Implied))}, site(), Erase},
		{"E1", "no evidence", pupil(), []Statement{mother(Notified, -30), father(Notified, -30), mother(Consent, -20, noEvidence)}, site(), Pause},
		{"A9", "consent for the library", pupil(), []Statement{mother(Notified, -30), father(Notified, -30), mother(Consent, -20, purpose("library"))}, site(), Erase},
		{"A9", "consent without a purpose", pupil(), []Statement{mother(Notified, -30), father(Notified, -30), mother(Consent, -20, purpose(""))}, site(), Erase},
		{"A9", "profile without a purpose", pupil(), told(), profileWith(func(p *Profile) { p.Purpose = "" }), Erase},
		{"A9", "old enough to be asked, not asked", pupil(), told(), profileWith(func(p *Profile) { p.AgreementAge = 12 }), Pause},
		{"A9", "old enough to be asked, agreed", pupil(), told(child(Consent, -1)), profileWith(func(p *Profile) { p.AgreementAge = 12 }), Permit},
		{"A9", "not yet old enough to be asked", pupil(), told(), profileWith(func(p *Profile) { p.AgreementAge = 13 }), Permit},
		{"A10", "adult, nothing said", adult(), nil, site(), Erase},
		{"A10", "adult's own consent", adult(), []Statement{self(Consent, -1)}, site(), Permit},
		{"A10", "adult's consent by word of mouth", adult(), []Statement{self(Consent, -1, form(Verbal))}, site(), Erase},
		{"A10", "adult consents, then objects verbally", adult(), []Statement{self(Consent, -2), self(Objection, -1, form(Verbal))}, site(), Erase},
		{"A10", "adult objects, then consents", adult(), []Statement{self(Objection, -2), self(Consent, -1)}, site(), Permit},
		{"A10", "somebody else consents for an adult", adult(), []Statement{mother(Consent, -1)}, site(), Erase},
		{"A10", "consent as self in another's name", adult(), []Statement{said("mother", Self, Consent, -1)}, site(), Pause},
		{"A10", "class unknown", subjectWith(func(s *Subject) { s.Class = UnknownClass }), told(), site(), Pause},
		{"A12", "mother withdraws in writing", pupil(), told(mother(Withdrawal, -1)), site(), Erase},
		{"A12", "mother withdraws by telephone: pause at once", pupil(), told(mother(Withdrawal, 0, form(Verbal))), site(), Pause},
		{"A12", "father objects by telephone: pause at once", pupil(), told(father(Objection, 0, form(Verbal))), site(), Pause},
		{"A12", "by telephone and not renewed in the days of grace", pupil(), told(mother(Withdrawal, -14, form(Verbal))), site(), Erase},
		{"A12", "by telephone, renewed in writing", pupil(), told(mother(Withdrawal, -3, form(Verbal)), mother(Consent, -1)), site(), Permit},
		{"A12", "withdrawn in writing, renewed in writing", pupil(), told(mother(Withdrawal, -3), mother(Consent, -1)), site(), Permit},
		{"A12", "withdrawn at the moment of consenting", pupil(), told(mother(Withdrawal, -20)), site(), Erase},
		{"A13", "notice found wanting", pupil(), []Statement{mother(Notified, -30), father(Notified, -30), mother(Consent, -20, notice("n0"))}, site(), Erase},
		{"B3", "consent to an older notice", pupil(), []Statement{mother(Notified, -30), father(Notified, -30), mother(Consent, -20, notice("n1"))}, site(), Pause},
		{"A13", "consent was for the face camera", pupil(), []Statement{mother(Notified, -30), father(Notified, -30), mother(Consent, -20, modality("face"))}, site(), Erase},
		{"A14", "review date today", pupil(), []Statement{mother(Notified, -30), father(Notified, -30), mother(Consent, -20, review(today))}, site(), Pause},
		{"A14", "review date tomorrow", pupil(), []Statement{mother(Notified, -30), father(Notified, -30), mother(Consent, -20, review(today.AddDays(1)))}, site(), Permit},
		{"A14", "review date and grace over", pupil(), []Statement{mother(Notified, -30), father(Notified, -30), mother(Consent, -20, review(today.AddDays(-14)))}, site(), Erase},
		{"A14", "reviewed by one parent, not by the other", pupil(), []Statement{mother(Notified, -30), father(Notified, -30), mother(Consent, -20, review(today)), father(Consent, -20)}, site(), Permit},
		{"A16", "site mode off", pupil(), told(), profileWith(func(p *Profile) { p.Biometrics = false }), Erase},
		{"A16", "no profile", pupil(), told(), Profile{}, Erase},
		{"N2", "a profile that cannot be", pupil(), told(), profileWith(func(p *Profile) { p.AgreementAge = 20 }), Pause},
		{"B1", "the other parent not notified", pupil(), []Statement{mother(Notified, -30), mother(Consent, -20)}, site(), Pause},
		{"B1", "notified after consenting", pupil(), []Statement{mother(Notified, -10), father(Notified, -30), mother(Consent, -20)}, site(), Pause},
		{"B1", "notified by word of mouth", pupil(), []Statement{mother(Notified, -30), father(Notified, -30, form(Verbal)), mother(Consent, -20)}, site(), Pause},
		{"B3", "the other parent knows only the old notice", pupil(), []Statement{mother(Notified, -30), father(Notified, -30, notice("n1")), mother(Consent, -20)}, site(), Pause},
		{"s.27(1)", "the other parent cannot be found", pupil(), []Statement{mother(Notified, -30), mother(Consent, -20), father(Exempt, -25, ground(NotFound))}, site(), Permit},
		{"s.27(1)", "exemption without a ground", pupil(), []Statement{mother(Notified, -30), mother(Consent, -20), father(Exempt, -25)}, site(), Pause},
		{"s.27(1)", "exempt, then found: notice and voice again", pupil(), []Statement{mother(Notified, -30), mother(Consent, -20), father(Exempt, -25, ground(NotFound)), father(Notified, -5, notice("n1"))}, site(), Pause},
		{"s.27(1)", "an exempt parent objects all the same", pupil(), []Statement{mother(Notified, -30), mother(Consent, -20), father(Exempt, -25, ground(Welfare)), father(Objection, -1)}, site(), Erase},
		{"s.27(1)", "an exempt parent's consent alone", with(Responsible{"father", Parent, true}), []Statement{father(Notified, -30), father(Consent, -20), father(Exempt, -5, ground(LacksCapacity))}, site(), Pause},
		{"s.28", "looked after: the local authority consents", with(Responsible{"father", Parent, true}, Responsible{"la", LocalAuthority, false}),
			[]Statement{father(Exempt, -30, ground(NotFound)), said("la", LocalAuthority, Notified, -20), said("la", LocalAuthority, Consent, -10)}, site(), Permit},
		{"s.28", "the local authority goes before a carer", with(Responsible{"la", LocalAuthority, false}, Responsible{"gran", Carer, false}),
			[]Statement{said("la", LocalAuthority, Notified, -20), said("gran", Carer, Notified, -20), said("gran", Carer, Consent, -10)}, site(), Pause},
		{"s.28", "the local authority while there is a parent", with(Responsible{"father", Parent, true}, Responsible{"la", LocalAuthority, false}),
			[]Statement{father(Notified, -30), said("la", LocalAuthority, Notified, -20), said("la", LocalAuthority, Consent, -10)}, site(), Pause},
		{"s.28", "an organisation that looks after the child", with(Responsible{"home", VoluntaryOrganisation, false}),
			[]Statement{said("home", VoluntaryOrganisation, Notified, -20), said("home", VoluntaryOrganisation, Consent, -10)}, site(), Permit},
		{"s.28", "a carer where there is nobody else", with(Responsible{"gran", Carer, false}),
			[]Statement{said("gran", Carer, Notified, -20), said("gran", Carer, Consent, -10)}, site(), Permit},
		{"D1", "withdrawn: whatever was captured goes", pupil(), told(father(Withdrawal, -1)), site(), Erase},
		{"D3", "leaver", subjectWith(func(s *Subject) { s.Roster = Leaver }), told(), site(), Erase},
		{"D3", "leaves today", subjectWith(func(s *Subject) { s.LeavesOn = today }), told(), site(), Erase},
		{"D3", "leaves tomorrow", subjectWith(func(s *Subject) { s.LeavesOn = today.AddDays(1) }), told(), site(), Permit},
		{"D3", "not used for as long as fingers are kept", used(today.AddDays(-10)), told(), kept(10), Erase},
		{"D3", "used one day later", used(today.AddDays(-9)), told(), kept(10), Permit},
		{"D3", "never used, consent as old as fingers are kept", pupil(), told(), kept(20), Erase},
		{"D3", "never used, consent one day younger", pupil(), told(), kept(21), Permit},
		{"D3", "not used, and consented anew", used(today.AddDays(-200)), told(father(Consent, -1)), kept(10), Permit},
		{"D3", "not used, and a word of mouth", used(today.AddDays(-200)), told(father(Consent, -1, form(Verbal))), kept(10), Erase},
		{"D3", "used tomorrow, by a clock that is wrong", used(today.AddDays(1)), told(), kept(20), Erase},
		{"D3", "not used, held", subjectWith(func(s *Subject) { s.Hold, s.LastUsed = true, today.AddDays(-200) }), told(), kept(10), Pause},
		{"D3", "not used, at a site that keeps them", used(today.AddDays(-400)), told(), site(), Permit},
		{"A5", "the school's list is silent", subjectWith(func(s *Subject) { s.Silent = true }), told(), site(), Pause},
		{"A5", "the school's list is silent about a leaver", subjectWith(func(s *Subject) { s.Silent, s.Roster = true, Leaver }), told(), site(), Erase},
		{"N2", "England: a pupil cannot consent alone", fourteen, mine, nation(EnglandWales, 12), Erase},
		{"N2", "England: nor do the parents' consents count under such a profile", fourteen, told(), nation("", 12), Pause},
		{"N2", "a nation that is not known", pupil(), told(), nation("france", 0), Pause},
		{"2A", "England and Wales, by name", pupil(), told(), nation(EnglandWales, 0), Permit},
		{"2A", "Scotland without an age of its own: parents as in England", pupil(), told(), nation(Scotland, 0), Permit},
		{"2A", "Scotland without an age of its own: the pupil alone is not enough", fourteen, mine, nation(Scotland, 0), Erase},
		{"2A", "Scotland: a pupil of 14 consents", fourteen, mine, nation(Scotland, 12), Permit},
		{"2A", "Northern Ireland: a pupil of 14 consents", fourteen, mine, nation(NorthernIreland, 14), Permit},
		{"2A", "Scotland: 14 is not yet 15", fourteen, mine, nation(Scotland, 15), Erase},
		{"2A", "Scotland: consent by word of mouth only", fourteen, []Statement{child(Consent, -1)}, nation(Scotland, 12), Erase},
		{"2A", "Scotland: given before the age was reached", grownUp(today.AddDays(-1).Anniversary(6)), []Statement{said("", Child, Consent, -5)}, nation(Scotland, 12), Pause},
		{"2A", "Scotland: the parents' consent ends with the age, with grace", grownUp(today.AddDays(-1).Anniversary(6)), told(), nation(Scotland, 12), Pause},
		{"2A", "Scotland: the pupil's no outweighs the pupil's earlier yes", fourteen, append(mine, child(Refusal, 0)), nation(Scotland, 12), Erase},
		{"2A", "Scotland: a parent's objection counts under 18 all the same", fourteen, append(mine, father(Objection, -1)), nation(Scotland, 12), Erase},
		{"2A", "Scotland: under the age both parents as in England", pupil(), told(father(Objection, -1)), nation(Scotland, 16), Erase},
		{"D6", "asks for erasure when grown up", grownUp(Date{2020, 1, 1}), told(self(Withdrawal, -1, form(Verbal))), site(), Erase},
		{"D7", "refused once: a late feed does not bring it back", pupil(), told(child(Refusal, -200)), site(), Erase},
		{"F5", "restricted", subjectWith(func(s *Subject) { s.Restricted = true }), told(), site(), Pause},
		{"G11", "restricted and refused", subjectWith(func(s *Subject) { s.Restricted = true }), told(child(Refusal, 0)), site(), Erase},
		{"G12", "held", subjectWith(func(s *Subject) { s.Hold = true }), told(), site(), Pause},
		{"G12", "held: a refusal does not erase, and nothing permits", subjectWith(func(s *Subject) { s.Hold = true }), told(child(Refusal, 0)), site(), Pause},
		{"G12", "held leaver", subjectWith(func(s *Subject) { s.Hold, s.Roster = true, Leaver }), told(), site(), Pause},
	}
	for _, tt := range tests {
		t.Run(tt.row+" "+tt.name, func(t *testing.T) {
			got, reasons := Decide(tt.subject, tt.statements, tt.profile, now)
			if got != tt.want {
				t.Errorf("got %v, want %v: %v", got, tt.want, reasons)
			}
			if len(reasons) == 0 {
				t.Error("no reason given")
			}
		})
	}
}

// The first reason is the one that decides, and it names the row.
func TestDecideReason(t *testing.T) {
	for row, statements := range map[string][]Statement{
		"A1":  told(),
		"A3":  told(child(Refusal, -1)),
		"A6":  told(father(Objection, -1)),
		"A12": told(father(Objection, -1, form(Verbal))),
		"B1":  {mother(Notified, -30), mother(Consent, -20)},
	} {
		_, reasons := Decide(pupil(), statements, site(), now)
		if reasons[0].Row != row {
			t.Errorf("row %s: the first reason is %v", row, reasons[0])
		}
	}
}

func TestEnds(t *testing.T) {
	s := pupil()
	s.Eighteenth, s.LeavesOn = Date{2026, 10, 20}, Date{2027, 7, 21}
	got := Ends(s, told(), site(), now)
	want := []End{{Date{2026, 10, 20}, Pause, "A2"}, {Date{2026, 11, 3}, Erase, "A10"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	got = Ends(pupil(), told(mother(Withdrawal, -1, form(Verbal))), site(), now)
	want = []End{{Date{2026, 10, 18}, Erase, "A12"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
