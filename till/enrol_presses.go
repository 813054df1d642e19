package till

import (
	"context"
	"errors"
	"fmt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
)

// askPress waits for the next press.
func (t *Till) askPress(say string, advice []string) {
	t.stepEnrolment(EnrolPress, say)
	t.view.Advice = advice
	turn, ctx, subject := t.turn, t.turnCtx, t.enrolment.subject
	t.workers.Go(func() {
		locked.Scrub()
		p, err := t.reader.press(ctx, true, func() {}, nil)
		alike := ""
		if err == nil {
			alike, err = t.searchAlike(ctx, p.template, subject)
		}
		locked.Scrub()
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
		t.endEnrolment(actionStopped)
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
	t.logEnrolment(actionAlike)
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
	if strays := e.strays(t.cfg.Unlike); len(strays) > 0 {
		e.drop(strays)
		t.askPress("Those presses were of different fingers, or of different parts of one. "+strayWords(len(strays)),
			[]string{"use the " + fingerName(e.fingers[e.nth]) + " only, with its middle on the glass"})
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
		t.endEnrolment(actionStopped)
		t.enter(TryAgain, "The enrolment could not be written down. Nothing has been kept; enrol again.", stayMessage)
		return
	}
	e.sealing = true
	t.stepEnrolment(EnrolPress, "Sealing.")
	turn, subject := t.turn, e.subject
	t.finish(func(ctx context.Context) func() {
		defer func() {
			for _, r := range records {
				locked.Free(r.Data)
			}
		}()
		err := t.parts.Custody.Enrol(ctx, records)
		return func() { t.sealed(turn, subject, err) }
	})
}

// records are the templates taken, in the form the store keeps, in locked memory
// that the caller frees.
func (t *Till) records() ([]store.TemplateRecord, error) {
	now := t.parts.Now()
	var records []store.TemplateRecord
	for _, k := range t.enrolment.taken {
		data, err := k.template.AppendBinary(locked.Make[byte](matcher.MaxEncoded)[:0])
		if err != nil { // no template that a press gave; there is nothing in the memory yet
			return nil, fmt.Errorf("till: writing a template: %w", err)
		}
		records = append(records, store.TemplateRecord{Subject: t.enrolment.subject, Finger: k.finger, Data: data, Enrolled: now})
	}
	return records, nil
}

func (t *Till) sealed(turn uint64, subject consent.SubjectID, err error) {
	if err != nil { // what was taken, the store has logged
		t.record(audit.Event{Kind: audit.Operator, Action: actionStopped, Subject: subject})
	}
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
