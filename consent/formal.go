package consent

import "slices"

// standing is how far a consent counts, by itself, before asking whether its giver is entitled.
type standing uint8

const (
	void     standing = iota // known to be none
	doubtful                 // may be one, but something about it is not known
	ended                    // was one until its review date
	inForce
)

// weigh judges the form of one consent: purpose, way, time, evidence, notice, review. The reason says what is amiss.
func (c *inquiry) weigh(s Statement) (standing, Reason) {
	switch {
	case !c.meant(s):
		return void, Reason{"F2", "A consent is for another purpose or another kind of sensor."}
	case s.Form == OptOut || s.Form == Implied:
		return void, Reason{"A8", "A consent was inferred from silence or from an opt-out that was not returned."}
	case s.Form == Verbal:
		return void, Reason{"A1", "A consent was given by word of mouth only."}
	case slices.Contains(c.profile.Invalid, s.Notice):
		return void, Reason{"A13", "A consent answers a notice that was found wanting."}
	case !s.Form.inWriting():
		return doubtful, Reason{"A5", "A consent was given in an unknown form."}
	case !c.dated(s):
		return doubtful, Reason{"A5", "A consent has no date or one in the future."}
	case s.Evidence == "":
		return doubtful, Reason{"E1", "A consent has no evidence."}
	case !slices.Contains(c.profile.Notices, s.Notice) || s.Notice == "":
		return doubtful, Reason{"B3", "A consent answers a notice that is not the current one."}
	case !s.ReviewBy.IsZero() && !s.ReviewBy.Valid():
		return doubtful, Reason{"A5", "A consent's review date is no date."}
	case s.ReviewBy.Reached(c.now):
		return ended, Reason{"A14", "A consent has passed its review date."}
	}
	return inForce, Reason{}
}

// basis collects the consents of those entitled and finds what they amount to.
type basis struct {
	permit Reason          // given if any consent is in force
	none   Reason          // given if there is no trace of a consent
	best   standing        // of all consents weighed
	flaws  map[Reason]bool // what was amiss with those that do not count
	until  Date            // latest review date among the ended
	doubts map[Reason]bool // flaws that leave a doubt
}

func newBasis(permit, none Reason) *basis {
	return &basis{permit: permit, none: none, flaws: make(map[Reason]bool), doubts: make(map[Reason]bool)}
}

func (b *basis) add(s Statement, st standing, flaw Reason) {
	b.best = max(b.best, st)
	switch st {
	case ended:
		if s.ReviewBy.After(b.until) {
			b.until = s.ReviewBy
		}
		b.flaws[flaw] = true
	case doubtful:
		b.doubts[flaw] = true
	case void:
		b.flaws[flaw] = true
	}
}

// conclude adds exactly one kind of finding: a permit, a pause or an erasure.
func (c *inquiry) conclude(b *basis) {
	decision := Erase
	switch {
	case b.best == inForce:
		c.find(Permit, b.permit.Row, b.permit.Text)
		return
	case b.best == ended:
		decision = c.lapsed(b.until)
	}
	if len(b.doubts) > 0 {
		decision = max(decision, Pause) // keep until the office has looked, but do not match
	}
	c.find(decision, b.none.Row, b.none.Text)
	for r := range b.flaws {
		c.find(decision, r.Row, r.Text)
	}
	for r := range b.doubts {
		c.find(decision, r.Row, r.Text)
	}
}
