package consent

import (
	"cmp"
	"slices"
	"time"
)

// Decide says whether the subject's finger may be processed at now, which must be in the site's time zone, and why.
// The reasons come strictest first and are never empty.
//
// What a person said last, by the time of saying it, is what that person says; of two things said at the same time the
// stricter counts. A person's objection is answered only by a later consent of the same person. Everything that stands in the
// way counts, whoever said it; so one parent's objection outweighs another's consent, and the child's refusal outweighs all.
func Decide(s Subject, statements []Statement, p Profile, now time.Time) (Decision, []Reason) {
	c := &inquiry{subject: s, statements: statements, profile: p, now: now}
	c.site()
	c.record()
	c.unused()
	c.readable()
	c.refusal()
	if c.grown() {
		c.own()
	} else {
		c.parental()
	}
	return c.verdict()
}

// inquiry gathers findings about one subject. Findings only ever accumulate: the strictest decides.
type inquiry struct {
	subject    Subject
	statements []Statement
	profile    Profile
	now        time.Time
	findings   []finding
}

type finding struct {
	decision Decision
	reason   Reason
}

func (c *inquiry) find(d Decision, row, text string) {
	c.findings = append(c.findings, finding{d, Reason{row, text}})
}

// verdict is the strictest finding. A hold turns an erasure into a pause, and a permit too (G12).
func (c *inquiry) verdict() (Decision, []Reason) {
	if c.subject.Hold {
		c.find(Pause, "G12", "The data is held for a legal claim: nothing is erased and nothing is matched.")
	}
	slices.SortFunc(c.findings, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.decision, b.decision), cmp.Compare(a.reason.Row, b.reason.Row), cmp.Compare(a.reason.Text, b.reason.Text))
	})
	c.findings = slices.Compact(c.findings)
	reasons := make([]Reason, len(c.findings))
	for i, f := range c.findings {
		reasons[i] = f.reason
	}
	if c.subject.Hold {
		return Pause, reasons
	}
	return c.findings[0].decision, reasons
}

// site is what the school as a whole allows.
func (c *inquiry) site() {
	p := c.profile
	if !p.Biometrics {
		c.find(Erase, "A16", "The site does not process biometric data.")
	}
	if p.Purpose == "" || p.Modality == "" {
		c.find(Pause, "A9", "The site profile does not say for what purpose and with what sensor.")
	}
	if flaw := p.flaw(); flaw != "" {
		c.find(Pause, "N2", flaw)
	}
}

// record is what the school's records say about the subject without anybody's statement.
func (c *inquiry) record() {
	s := c.subject
	switch {
	case s.Roster == Leaver || s.LeavesOn.Reached(c.now):
		c.find(Erase, "D3", "The subject has left.")
	case s.Roster != Current:
		c.find(Pause, "A5", "The school's list does not say whether the subject is still there.")
	}
	if s.Silent {
		c.find(Pause, "A5", "The school's list has not been heard of for too long.")
	}
	if !s.LeavesOn.IsZero() && !s.LeavesOn.Valid() || !s.Eighteenth.IsZero() && !s.Eighteenth.Valid() {
		c.find(Pause, "A5", "A date on the subject's record is no date.")
	}
	if s.Class != Pupil && s.Class != Adult {
		c.find(Pause, "A10", "The record does not say whether this is a pupil or an adult.")
	}
	if s.Class != Adult && s.Eighteenth.IsZero() {
		c.find(Pause, "A2", "The pupil's 18th birthday is not on record.")
	}
	if s.Restricted {
		c.find(Pause, "F5", "Processing is restricted while something is disputed.")
	}
}

// readable finds statements that this version does not understand, any of which might be a refusal.
func (c *inquiry) readable() {
	byID := make(map[string]Statement)
	for _, s := range c.statements {
		if !s.Kind.known() {
			c.find(Pause, "A5", "A statement is of an unknown kind.")
		}
		if s.ID == "" {
			continue
		}
		if other, ok := byID[s.ID]; ok && !same(s, other) {
			c.find(Pause, "A5", "Two different statements have the same number.")
		}
		byID[s.ID] = s
	}
}

func same(a, b Statement) bool {
	if !a.At.Equal(b.At) {
		return false
	}
	a.At = b.At
	return a == b
}

// grown reports whether the subject decides alone, whatever the class says (A2).
func (c *inquiry) grown() bool {
	if c.subject.Eighteenth.IsZero() {
		return c.subject.Class == Adult
	}
	return c.subject.alone(c.profile).Reached(c.now)
}

// alone is the day from which the subject decides without the parents: the 18th birthday, or an earlier one where the law and the site
// let a pupil consent. Unknown if the 18th birthday is.
func (s Subject) alone(p Profile) Date {
	if p.OwnConsentAge == 0 || p.flaw() != "" {
		return s.Eighteenth
	}
	return s.Eighteenth.Anniversary(p.OwnConsentAge - 18)
}

// dated reports whether a statement can be placed in time: not undated and not from the future.
func (c *inquiry) dated(s Statement) bool { return !s.At.IsZero() && !s.At.After(c.now) }

// day is the day of a statement in the site's time zone; one from the future is taken as of today.
func (c *inquiry) day(s Statement) Date {
	if s.At.After(c.now) {
		return DateOf(c.now)
	}
	return DateOf(s.At.In(c.now.Location()))
}

// meant reports whether a statement is about exactly this purpose and modality, as everything must be that permits.
func (c *inquiry) meant(s Statement) bool {
	return s.Purpose != "" && s.Purpose == c.profile.Purpose && s.Modality != "" && s.Modality == c.profile.Modality
}

// touches reports whether a statement that forbids is to be taken as about this purpose and modality: unless it names
// something that is known to be elsewhere.
func (c *inquiry) touches(s Statement) bool {
	elsewhere := func(word, here string) bool {
		return word != "" && word != here && slices.Contains(c.profile.Elsewhere, word)
	}
	return !elsewhere(s.Purpose, c.profile.Purpose) && !elsewhere(s.Modality, c.profile.Modality)
}

// answered reports whether a later statement out of yes takes back the negative one. What cannot be placed in time stands.
func (c *inquiry) answered(no Statement, yes []Statement) bool {
	return c.dated(no) && slices.ContainsFunc(yes, func(y Statement) bool { return y.At.After(no.At) })
}

// lapsed is the decision days after something ended on a date: a pause while the days of grace last, then erasure.
func (c *inquiry) lapsed(on Date) Decision {
	if on.AddDays(c.profile.GraceDays).Reached(c.now) {
		return Erase
	}
	return Pause
}
