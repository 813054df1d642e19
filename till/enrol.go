package till

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/store"
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
	t.dropEnrolment()
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

// askPress waits for the next press.
func (t *Till) askPress(say string, advice []string) {
	t.stepEnrolment(EnrolPress, say)
	t.view.Advice = advice
	turn, ctx, subject := t.turn, t.turnCtx, t.enrolment.subject
	t.workers.Go(func() {
		p, err := t.reader.press(ctx, true, func() {})
		alike := ""
		if err == nil {
			alike, err = t.searchAlike(ctx, p.template, subject)
		}
		apply := func() {
			if turn != t.turn { // the step is over: the press belongs to nobody
				p.clear()
				return
			}
			t.pressed(p, alike, err)
		}
		if !t.send(apply) {
			p.clear()
		}
	})
}

// searchAlike returns who else's enrolled finger is as alike as a match, or "".
func (t *Till) searchAlike(ctx context.Context, probe *matcher.Template, self consent.SubjectID) (string, error) {
	candidates, err := t.parts.Gallery.Identify(ctx, probe, 2)
	if err != nil {
		return "", fmt.Errorf("till: searching for a finger alike: %w", err)
	}
	defer clear(candidates)
	for _, c := range candidates {
		if c.Subject == string(self) {
			continue
		}
		if t.cfg.Policy.Decide([]matcher.Candidate{c}, t.parts.Gallery.Len()).Found {
			return c.Subject, nil
		}
	}
	return "", nil
}

// pressed takes or rejects a press. It owns the press's template.
func (t *Till) pressed(p press, alike string, err error) {
	e := &t.enrolment
	if !t.mayEnrol(e.subject) { // withdrawn while the child was pressing
		p.clear()
		return
	}
	switch {
	case errors.Is(err, errLost):
		p.clear()
		t.dropEnrolment()
		t.enter(FingersOff, "The sensor is "+*t.reader.words.Load()+". Nothing has been kept; enrol again later.", stayMessage)
	case err != nil || p.quality < t.cfg.Quality:
		p.clear()
		t.askPress("That press was not clear enough. It does not count; try again.", p.advice)
	case alike != "":
		p.clear()
		t.stopAlike(consent.SubjectID(alike))
	default:
		e.taken = append(e.taken, taken{e.fingers[e.nth], p.template})
		e.presses++
		t.nextPress()
	}
}

// stopAlike shows whose finger this one is too like: one of the two enrolments
// is wrong, and people must find out which (F4).
func (t *Till) stopAlike(other consent.SubjectID) {
	t.stepEnrolment(EnrolAlike, "This finger is already enrolled for somebody else, or very like it. Ask who is right before you go on.")
	if p, err := t.person(other); err == nil {
		t.view.Enrolment.Alike = p.Name + ", " + p.Form
	}
}

// nextPress asks for the next press, the next finger, or seals what was taken.
func (t *Till) nextPress() {
	e := &t.enrolment
	if e.presses < pressesWanted {
		t.askPress("Good. Lift, and press the same finger again.", nil)
		return
	}
	if e.nth+1 < len(e.fingers) {
		e.nth, e.presses = e.nth+1, 0
		t.askPress("Good. Now the other finger.", nil)
		return
	}
	t.seal()
}

// seal hands the templates to custody, which asks for consent once more and, in
// the same commit, queues them for the site's other terminals. A crash before
// that commit leaves nothing.
func (t *Till) seal() {
	e := &t.enrolment
	records, err := t.records()
	if err != nil {
		t.dropEnrolment()
		t.enter(TryAgain, "The enrolment could not be written down. Nothing has been kept; enrol again.", stayMessage)
		return
	}
	e.sealing = true
	t.stepEnrolment(EnrolPress, "Sealing.")
	turn := t.turn
	t.finish(func(ctx context.Context) func() {
		defer func() {
			for _, r := range records {
				clear(r.Data)
			}
		}()
		err := t.parts.Custody.Enrol(ctx, records)
		return func() { t.sealed(turn, err) }
	})
}

// records are the templates taken, in the form the store keeps.
func (t *Till) records() ([]store.TemplateRecord, error) {
	now := t.parts.Now()
	var records []store.TemplateRecord
	for _, k := range t.enrolment.taken {
		data, err := k.template.MarshalBinary()
		if err != nil {
			return nil, fmt.Errorf("till: writing a template: %w", err)
		}
		records = append(records, store.TemplateRecord{Subject: t.enrolment.subject, Finger: k.finger, Data: data, Enrolled: now})
	}
	return records, nil
}

func (t *Till) sealed(turn uint64, err error) {
	if turn != t.turn {
		return
	}
	done := Enrolment{}
	if t.view.Enrolment != nil {
		done = *t.view.Enrolment
	}
	t.dropEnrolment()
	if err != nil {
		t.enter(FingersOff, "The enrolment was not taken: nothing of it has been kept. Tell the office, or enrol again later.", stayMessage)
		return
	}
	t.enter(Enrolled, "Enrolled. The finger can be used from now on.", stayMessage)
	t.view.Enrolment = &done
}
