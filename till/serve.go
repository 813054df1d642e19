package till

import (
	"context"
	"encoding/base32"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
)

// propose puts a person before the operator. Every route ends here, so that
// what is shown does not depend on the route (C4).
func (t *Till) propose(who identity, why string) {
	id, err := t.newID()
	if err != nil {
		t.enter(TryAgain, "No random numbers: restart the terminal. Cash goes on.", stayMessage)
		return
	}
	p := &Proposal{ID: id, Subject: who.subject, Why: why}
	if who.outside != "" {
		p.Name = "Outside account"
		p.Form = who.outside
	} else {
		person, err := t.person(who.subject)
		if err != nil {
			t.again("That person's record could not be read. Serve with cash and tell the office.", nil, false)
			return
		}
		p.Name, p.Form, p.Photo = person.Name, person.Form, len(person.Photo) > 0
		p.Dietary = append([]string(nil), person.Dietary...)
		p.ServedToday = t.servedToday(who.subject)
		who.photo = person.Photo
	}
	t.enter(Proposed, "", ProposalLife)
	p.Expires = t.until
	t.who, t.view.Proposal = who, p
}

// current reports whether id names the proposal that stands. The timer and an
// action can be ready at once, so the time is looked at here, too.
func (t *Till) stands(id string) bool {
	return t.view.State == Proposed && t.view.Proposal.ID == id && time.Now().Before(t.until)
}

// unconfirmed logs a proposal that ends without the operator's word on it. Of whom is not said: nobody knows whether it was them.
func (t *Till) unconfirmed() {
	if t.who.route != "" {
		t.record(audit.Event{Kind: audit.Operator, Action: actionUnconfirmed, Route: t.who.route, Band: t.who.band, Limit: t.who.limit})
		t.who = identity{}
	}
}

// Confirm serves the proposed person. id is the proposal that the operator saw.
func (t *Till) Confirm(ctx context.Context, id string) error {
	return t.do(ctx, func() error {
		if !t.stands(id) {
			return ErrStale
		}
		who, shown := t.who, *t.view.Proposal
		if who.finger && !t.permitted(who.subject) { // withdrawn since the proposal (A1, A12)
			t.again("Please use PIN, name or cash for this pupil.", nil, false)
			t.view.Offer = true
			return ErrStale
		}
		now := t.parts.Now()
		t.record(audit.Event{Kind: audit.Match, Subject: who.subject, Route: who.route, Band: who.band, Limit: who.limit})
		t.who = identity{}
		if who.subject != "" {
			t.served[who.subject] = now
		}
		t.done(shown)
		for _, o := range t.parts.Outlets {
			o.Identified(Identity{ID: id, Subject: who.subject, Outside: who.outside, At: now})
		}
		return nil
	})
}

// done shows that somebody has been served and readies the sensor for the next.
func (t *Till) done(shown Proposal) {
	t.tries = 0
	t.enter(Served, "Served.", stayServed)
	t.view.Proposal = &shown
	t.arm()
}

// NotThem rejects the proposal: the operator's eyes decide (F4, G17).
func (t *Till) NotThem(ctx context.Context, id string) error {
	return t.do(ctx, func() error {
		if !t.stands(id) {
			return ErrStale
		}
		t.record(audit.Event{Kind: audit.Operator, Action: actionNotThem, Route: t.who.route, Band: t.who.band, Limit: t.who.limit})
		t.who = identity{}
		t.again("Rejected. Try another way.", nil, false)
		return nil
	})
}

// Cash serves without an identity (C2).
func (t *Till) Cash(ctx context.Context) error {
	return t.do(ctx, func() error {
		if t.enrolling() {
			return ErrBusy
		}
		t.record(audit.Event{Kind: audit.Match, Route: routeCash})
		t.done(Proposal{Name: "Cash"})
		return nil
	})
}

// mostReference bounds the reference of an outside account, in bytes.
const mostReference = 32

// Outside proposes an outside account by its reference (C3): letters, digits and
// hyphens, at most 32.
func (t *Till) Outside(ctx context.Context, reference string) error {
	if !plainReference(reference) {
		return fmt.Errorf("till: %.40q is no account reference: use letters, digits and hyphens, at most %d", reference, mostReference)
	}
	return t.do(ctx, func() error {
		if t.enrolling() {
			return ErrBusy
		}
		t.propose(identity{outside: reference, route: routeOutside}, "The reference was keyed by the operator.")
		return nil
	})
}

func plainReference(s string) bool {
	for _, r := range s {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' {
			return false
		}
	}
	return s != "" && len(s) <= mostReference
}

// Clear ends whatever is on the screen and waits for the next pupil.
func (t *Till) Clear(ctx context.Context) error {
	return t.do(ctx, func() error {
		t.endEnrolment(actionGivenUp)
		t.idle("")
		return nil
	})
}

// Photo returns the picture of the person in proposal id, while it stands.
func (t *Till) Photo(ctx context.Context, id string) (photo []byte, err error) {
	err = t.do(ctx, func() error {
		if !t.stands(id) || len(t.who.photo) == 0 {
			return ErrStale
		}
		photo = t.who.photo
		return nil
	})
	return photo, err
}

// newID draws the id of a proposal.
func (t *Till) newID() (string, error) {
	var b [10]byte
	if _, err := io.ReadFull(t.parts.Rand, b[:]); err != nil {
		return "", fmt.Errorf("till: drawing a proposal id: %w", err)
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:])), nil
}

// person reads a person for display. The error is for the operator.
func (t *Till) person(id consent.SubjectID) (store.Person, error) {
	p, err := t.parts.People.Person(id)
	if err != nil {
		return p, fmt.Errorf("till: reading a person's record: %w; serve by name or cash and tell the office", err)
	}
	return p, nil
}
