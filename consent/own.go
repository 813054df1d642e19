package consent

import "slices"

// mine reports whether a statement is the subject's own. By may be empty, but must not name anybody else.
func (c *inquiry) mine(s Statement) bool {
	return s.Capacity.subject() && (s.By == "" || s.By == string(c.subject.ID))
}

// listed finds the adult on the pupil's record who is meant by id.
func (c *inquiry) listed(id string) (Responsible, bool) {
	i := slices.IndexFunc(c.subject.Responsible, func(r Responsible) bool { return r.ID == id && id != "" })
	if i < 0 {
		return Responsible{}, false
	}
	return c.subject.Responsible[i], true
}

// refusal is the subject's own no: in any form, at any age, without a test of understanding (A3, A4, s.26(5)). Only the
// subject's own later yes takes it back. A refusal of which it is unclear who made it is the subject's.
func (c *inquiry) refusal() {
	yes := c.agreements()
	for _, s := range c.statements {
		_, adult := c.listed(s.By)
		theirs := s.Kind.negative() && s.Capacity.subject() || s.Kind == Refusal && !adult
		if !theirs || !c.touches(s) || c.answered(s, yes) {
			continue
		}
		if c.grown() {
			c.find(Erase, "A12", "The subject has refused, objected or withdrawn.")
		} else {
			c.find(Erase, "A3", "The child has refused or does not want to go on.")
		}
	}
}

// agreements are the subject's own statements of yes that stand: of a child in any clear form, of an adult a consent in force.
func (c *inquiry) agreements() []Statement {
	if c.grown() {
		return c.ownConsents()
	}
	var yes []Statement
	for _, s := range c.statements {
		clear := s.Form.inWriting() || s.Form == Verbal
		if s.Kind == Consent && c.mine(s) && clear && c.meant(s) && c.dated(s) {
			yes = append(yes, s)
		}
	}
	return yes
}

func (c *inquiry) ownConsents() []Statement {
	var yes []Statement
	for _, s := range c.statements {
		if st, _ := c.weighOwn(s); st == inForce && s.Kind == Consent {
			yes = append(yes, s)
		}
	}
	return yes
}

// weighOwn judges the own consent of somebody who decides alone. One that was given before that is a child's agreement and
// leaves a doubt: the office asks again. A child's own word counts only where the law lets a child consent.
func (c *inquiry) weighOwn(s Statement) (standing, Reason) {
	st, flaw := c.weigh(s)
	if st == void {
		return st, flaw
	}
	alone, said := c.subject.alone(c.profile), s.At.In(c.now.Location())
	entitled := s.Capacity == Self || alone.Before(c.subject.Eighteenth)
	if !entitled || !c.mine(s) || !alone.IsZero() && !alone.Reached(said) {
		return doubtful, Reason{"A2", "A consent was not given by the subject as somebody who decides alone."}
	}
	return st, flaw
}

// own is the decision about somebody who decides alone: own consent (A10). A pupil who has come of age without one is paused for
// the days of grace, and only if the parents' consent had still held (A2). Below 18 the parents' no counts on, wherever the law
// has pupils consent: the stricter rule is kept (1N).
func (c *inquiry) own() {
	if e := c.subject.Eighteenth; !e.IsZero() && !e.Reached(c.now) {
		c.objections(c.voices())
	}
	b := newBasis(Reason{"A10", "The subject has consented in writing."}, Reason{"A10", "No own consent of the subject is on record."})
	for _, s := range c.statements {
		if s.Kind == Consent && s.Capacity.subject() {
			st, flaw := c.weighOwn(s)
			b.add(s, st, flaw)
		}
	}
	since := c.subject.alone(c.profile)
	if b.best == void && !since.IsZero() && c.lapsed(since) == Pause {
		c.find(Pause, "A2", "The pupil has come of age: the parents' consent has ended and the pupil's own is awaited.")
		c.parental()
		return
	}
	c.conclude(b)
}
