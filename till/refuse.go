package till

import (
	"context"
	"time"

	"github.com/tillprint/tillprint/consent"
)

// refuseAgain is the pause before a refusal that the disk would not take is
// tried again.
const refuseAgain = 5 * time.Second

// Refuse takes a pupil's "no": offline, at once, whoever asks, without a reason
// (A3, A4; I9 knows no way back). It works on anybody the till can name, in
// every state, also in the middle of an enrolment. From the call on the subject
// is not matched here, even if the disk fails: the record is retried until it is
// written.
func (t *Till) Refuse(ctx context.Context, subject consent.SubjectID) error {
	if _, err := consent.ParseSubjectID(string(subject)); err != nil {
		return err
	}
	return t.do(ctx, func() error {
		t.refuse(subject)
		return nil
	})
}

func (t *Till) refuse(subject consent.SubjectID) {
	t.refused[subject] = true
	if t.enrolment.subject == subject { // the refusal says how it ended
		t.dropEnrolment()
	}
	t.endEnrolment(actionGivenUp)
	t.enter(Refused, "Noted. Their finger is not used any more. Serve by PIN, name or cash.", stayMessage)
	if p, err := t.person(subject); err == nil {
		t.view.Proposal = &Proposal{Subject: subject, Name: p.Name, Form: p.Form}
	}
	t.writeRefusal(subject, t.operator())
}

// writeRefusal has custody evict, wipe and sign. A crash before it has committed
// loses only a refusal that nobody has acknowledged: the view says "Noted" of
// this till's memory, and "written" once the receipt is there.
func (t *Till) writeRefusal(subject consent.SubjectID, by string) {
	t.finish(func(ctx context.Context) func() {
		_, err := t.parts.Custody.Refuse(ctx, subject, by)
		return func() { t.refusalWritten(subject, by, err) }
	})
}

func (t *Till) refusalWritten(subject consent.SubjectID, by string, err error) {
	if err != nil {
		t.trouble++
		t.after(refuseAgain, func() {
			t.trouble--
			t.writeRefusal(subject, by)
		})
		return
	}
	delete(t.refused, subject) // custody answers for it from here on
	if t.view.State == Refused && t.view.Proposal != nil && t.view.Proposal.Subject == subject {
		t.view.Say = "Noted and written. What was held of the finger is gone. Serve by PIN, name or cash."
	}
}

// after runs apply on the till's goroutine once d has passed.
func (t *Till) after(d time.Duration, apply func()) {
	t.workers.Go(func() {
		if sleep(t.ctx, d, nil) {
			t.send(apply)
		}
	})
}
