package till

import (
	"context"
	"errors"
	"strings"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/store/audit"
)

// pressesWanted is how many good presses of each finger make an enrolment.
const pressesWanted = 3

// spares are the fingers offered when one is hurt or too like somebody else's,
// best first (ISO/IEC 19794-2 positions).
var spares = [...]uint8{2, 7, 3, 8, 1, 6, 4, 9, 5, 10}

// enrolment is an enrolment under way; the zero value is none. Its templates are
// this struct's own and are overwritten when it ends, however it ends (I3).
type enrolment struct {
	subject    consent.SubjectID
	name, form string
	fingers    []uint8 // to enrol, in order
	nth        int     // which of them is being pressed
	presses    int     // good presses of it so far
	taken      []taken
	sealing    bool // in custody's hands: no more presses
}

// taken is one good press.
type taken struct {
	finger   uint8
	template *matcher.Template
}

func (t *Till) enrolling() bool { return t.enrolment.subject != "" }

// dropEnrolment forgets an enrolment and overwrites its templates.
func (t *Till) dropEnrolment() {
	for _, k := range t.enrolment.taken {
		k.template.Clear()
	}
	t.enrolment = enrolment{}
}

// endEnrolment drops the enrolment under way, if there is one, and logs why (action). One that custody has in hand is logged by what
// comes of it.
func (t *Till) endEnrolment(action string) {
	if t.enrolling() && !t.enrolment.sealing {
		t.logEnrolment(action)
	}
	t.dropEnrolment()
}

func (t *Till) logEnrolment(action string) {
	t.record(audit.Event{Kind: audit.Operator, Action: action, Subject: t.enrolment.subject})
}

// Enrol begins the enrolment of a subject whose consent decision is permit now
// (A1): the sensor is not armed before the child has seen the notice and said
// yes (B5).
func (t *Till) Enrol(ctx context.Context, subject consent.SubjectID) error {
	if _, err := consent.ParseSubjectID(string(subject)); err != nil {
		return err
	}
	return t.do(ctx, func() error {
		if t.enrolling() {
			return ErrBusy
		}
		if ok, why := t.fingers(); !ok {
			t.enter(FingersOff, why, stayMessage)
			return nil
		}
		if !t.mayEnrol(subject) {
			return nil
		}
		p, err := t.person(subject)
		if err != nil {
			return err
		}
		t.enrolment = enrolment{subject: subject, name: p.Name, form: p.Form, fingers: append([]uint8(nil), t.cfg.Fingers...)}
		t.logEnrolment(actionBegun)
		t.stepEnrolment(EnrolNotice, "Read the notice together. Yes and no are equally good answers.")
		return nil
	})
}

// mayEnrol asks for consent and shows the reasons when there is none.
func (t *Till) mayEnrol(subject consent.SubjectID) bool {
	ok, reasons := t.parts.Custody.Permitted(subject, t.parts.Now())
	if ok && !t.refused[subject] {
		return true
	}
	t.endEnrolment(actionStopped)
	t.enter(FingersOff, "No consent is in force for this pupil ("+strings.Join(reasons, ", ")+"). Ask the office.", stayMessage)
	return false
}

// stepEnrolment shows a step of the enrolment under way, as a turn of its own.
func (t *Till) stepEnrolment(state State, say string) {
	t.enter(state, say, stayEnrol)
	e := &t.enrolment
	finger := e.fingers[min(e.nth, len(e.fingers)-1)]
	t.view.Enrolment = &Enrolment{Subject: e.subject, Name: e.name, Form: e.form, Finger: fingerName(finger),
		Nth: min(e.nth+1, len(e.fingers)), Fingers: len(e.fingers), Press: e.presses, Presses: pressesWanted}
}

// EnrolYes is the child's yes: presses begin.
func (t *Till) EnrolYes(ctx context.Context) error {
	return t.do(ctx, func() error {
		if t.view.State != EnrolNotice {
			return ErrStale
		}
		t.askPress("", nil)
		return nil
	})
}

// EnrolNo is the child's "No thanks", as easy as yes and at any time until the
// end. It counts as a refusal (A3, s.26(5)).
func (t *Till) EnrolNo(ctx context.Context) error {
	return t.do(ctx, func() error {
		if !t.enrolling() {
			return ErrStale
		}
		t.refuse(t.enrolment.subject)
		return nil
	})
}

// EnrolOther goes on with another finger: one is hurt, or too like somebody's.
func (t *Till) EnrolOther(ctx context.Context) error {
	return t.do(ctx, func() error {
		e := &t.enrolment
		if !t.enrolling() || e.sealing || t.view.State == EnrolNotice {
			return ErrStale
		}
		spare, err := e.spare()
		if err != nil {
			return err
		}
		e.discard(e.fingers[e.nth])
		e.fingers[e.nth] = spare
		t.logEnrolment(actionOther)
		t.askPress("", nil)
		return nil
	})
}

// spare returns the best finger not yet asked for.
func (e *enrolment) spare() (uint8, error) {
	for _, f := range spares {
		if !strings.Contains(string(e.fingers), string([]byte{f})) && !e.tried(f) {
			return f, nil
		}
	}
	return 0, errors.New("till: no finger is left to try; this pupil is better served by PIN or name")
}

// tried reports whether f comes before the present finger in the order of spares.
func (e *enrolment) tried(f uint8) bool {
	rank := func(x uint8) int { return strings.IndexByte(string(spares[:]), x) }
	return rank(f) < rank(e.fingers[e.nth])
}

// discard forgets the presses of one finger.
func (e *enrolment) discard(finger uint8) {
	kept := e.taken[:0]
	for _, k := range e.taken {
		if k.finger == finger {
			k.template.Clear()
			continue
		}
		kept = append(kept, k)
	}
	e.taken, e.presses = kept, 0
}
