package consent

import "slices"

// parental is the decision about a child: at least one consent in writing from an adult who is entitled, every adult notified, and no
// objection or withdrawal from any (s.26).
func (c *inquiry) parental() {
	c.contradictions()
	voices := c.voices()
	c.notices(voices)
	c.objections(voices)
	c.agreement()
	b := newBasis(Reason{"A1", "A parent has consented in writing."}, Reason{"A5", "No consent in force is on record."})
	for _, s := range c.statements {
		if s.Kind == Consent && !s.Capacity.subject() {
			st, flaw := c.weighParental(s, voices)
			b.add(s, st, flaw)
		}
	}
	c.conclude(b)
}

// contradictions finds adults who are on record twice, differently.
func (c *inquiry) contradictions() {
	seen := make(map[string]Responsible)
	for _, r := range c.subject.Responsible {
		if other, ok := seen[r.ID]; ok && other != r || r.ID == "" || !r.Capacity.adult() {
			c.find(Pause, "A7", "The record of responsible adults contradicts itself.")
		}
		seen[r.ID] = r
	}
}

// parent reports whether an adult is a parent in the sense of the Act: a parent, or anyone with parental responsibility (A7, s.28(5)).
func (r Responsible) parent() bool {
	return r.Capacity == Parent || r.Capacity == Holder || r.ParentalResponsibility
}

// voices are the adults who must be notified and of whom one must consent: the parents who are not exempt; if there is none of them the
// local authority, else the voluntary organisation, else those who have care of the child (s.28).
func (c *inquiry) voices() []Responsible {
	order := []func(Responsible) bool{
		Responsible.parent,
		func(r Responsible) bool { return r.Capacity == LocalAuthority },
		func(r Responsible) bool { return r.Capacity == VoluntaryOrganisation },
		func(r Responsible) bool { return r.Capacity == Carer },
	}
	for _, belongs := range order {
		var found []Responsible
		for _, r := range c.subject.Responsible {
			if belongs(r) && !c.exempt(r) {
				found = append(found, r)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// exempt reports whether section 27(1) holds for an adult. It ends when the adult is notified after all.
func (c *inquiry) exempt(r Responsible) bool {
	for _, s := range c.statements {
		if s.Kind != Exempt || s.By != r.ID || !c.dated(s) || !c.meant(s) || !s.Ground.known() || s.TakenBy == "" {
			continue
		}
		found := func(n Statement) bool {
			return n.Kind == Notified && n.By == r.ID && !(c.dated(n) && n.At.Before(s.At))
		}
		if !slices.ContainsFunc(c.statements, found) {
			return true
		}
	}
	return false
}

// notice reports whether a statement tells an adult, in writing, what this site now does (B1, B2, B3, s.27(2)).
func (c *inquiry) notice(s Statement, adult string) bool {
	return s.Kind == Notified && s.By == adult && s.Form.inWriting() && c.dated(s) && c.meant(s) && s.Notice != "" &&
		slices.Contains(c.profile.Notices, s.Notice) && !slices.Contains(c.profile.Invalid, s.Notice)
}

// notices finds adults who have not been told.
func (c *inquiry) notices(voices []Responsible) {
	if len(voices) == 0 {
		c.find(Pause, "A7", "No adult is on record who could be notified and consent.")
	}
	for _, v := range voices {
		if !slices.ContainsFunc(c.statements, func(s Statement) bool { return c.notice(s, v.ID) }) {
			c.find(Pause, "B1", "A parent or carer has not been notified in writing with the current notice.")
		}
	}
}

// objections finds adults' objections and withdrawals that stand. In writing they erase; by word of mouth they pause at once, and
// erase after the days of grace unless the adult consents again (A6, A12, s.26(3)).
func (c *inquiry) objections(voices []Responsible) {
	for _, s := range c.statements {
		r, ok := c.listed(s.By)
		if !s.Kind.negative() || s.Capacity.subject() || s.Kind == Refusal && !ok || !c.touches(s) || c.answered(s, c.renewals(s.By)) {
			continue
		}
		binding := ok && (r.parent() || slices.Contains(voices, r))
		switch {
		case !binding:
			c.find(Pause, "A6", "Somebody has objected who is not on record as a parent: the office has to clear it up.")
		case s.Form.inWriting():
			c.find(Erase, "A6", "A parent has objected or withdrawn in writing.")
		case s.Form == Verbal && !s.At.IsZero():
			c.find(c.lapsed(c.day(s)), "A12", "A parent has objected or withdrawn by word of mouth.")
		default:
			c.find(Pause, "A6", "A parent has objected or withdrawn, but how or when is not known.")
		}
	}
}

// renewals are the consents in force of one adult on record, which take back that adult's own earlier objections. Of somebody who
// is not on record there are none.
func (c *inquiry) renewals(adult string) []Statement {
	r, ok := c.listed(adult)
	var yes []Statement
	for _, s := range c.statements {
		if !ok || s.Kind != Consent || s.By != adult || s.Capacity != r.Capacity {
			continue
		}
		if st, _ := c.weigh(s); st == inForce {
			yes = append(yes, s)
		}
	}
	return yes
}

// agreement asks for the child's own yes where the site has set an age for it: an older pupil is deprived of a choice if only the
// parents are asked (A9).
func (c *inquiry) agreement() {
	age := c.profile.AgreementAge
	if age > 0 && c.subject.Eighteenth.Anniversary(age-18).Reached(c.now) && len(c.agreements()) == 0 {
		c.find(Pause, "A9", "The pupil is old enough to be asked and has not agreed.")
	}
}

// weighParental judges an adult's consent for a child: the form, then who gave it, then whether the notice came first.
func (c *inquiry) weighParental(s Statement, voices []Responsible) (standing, Reason) {
	st, flaw := c.weigh(s)
	if st == void || st == doubtful {
		return st, flaw
	}
	r, ok := c.listed(s.By)
	entitled := ok && s.Capacity == r.Capacity && slices.Contains(voices, r) && (r.ParentalResponsibility || !r.parent())
	if !entitled {
		return doubtful, Reason{"A7", "A consent comes from somebody who is not on record as entitled to give it."}
	}
	before := func(n Statement) bool { return c.notice(n, s.By) && !n.At.After(s.At) }
	if !slices.ContainsFunc(c.statements, before) {
		return doubtful, Reason{"B1", "A parent consented before being notified."}
	}
	return st, flaw
}
