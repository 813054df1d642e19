package demo

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/till"
)

func form(key, value string) url.Values { return url.Values{key: {value}} }

func inState(s till.State) func(till.View) bool {
	return func(v till.View) bool { return v.State == s }
}

// parentWithdraws is the second journey of a pupil whose parent takes the
// consent back: at the hub, in writing.
func (w *world) parentWithdraws(ctx context.Context) error {
	a, err := w.recognised(0)
	if err != nil {
		return err
	}
	if err := w.office.withdraw(ctx, a.id, a.Responsible[0].ID); err != nil {
		return err
	}
	if err := w.receiptsOf(ctx, a.id, "a", "b"); err != nil {
		return err
	}
	return w.nobodyThenPIN(ctx, w.tills[0], a)
}

// pupilRefuses is a "no" at the till while the hub is away (A3): it holds at
// once, and the hub and the other terminal learn of it when the hub is back.
func (w *world) pupilRefuses(ctx context.Context) error {
	t := w.tills[0]
	a, err := w.recognised(1)
	if err != nil {
		return err
	}
	w.hub.stop()
	if err := t.clear(ctx); err != nil {
		return err
	}
	if err := t.refuse(ctx, a.id); err != nil {
		return err
	}
	if _, err := t.watcher.until(ctx, "the refusal to be noted", inState(till.Refused)); err != nil {
		return err
	}
	if err := w.nobodyThenPIN(ctx, t, a); err != nil {
		return err
	}
	if err := w.startHub(ctx); err != nil {
		return err
	}
	if err := w.receiptsOf(ctx, a.id, "a", "b"); err != nil {
		return err
	}
	d, err := w.office.subject(ctx, a.id)
	if err != nil {
		return err
	}
	for _, s := range d.Statements {
		if s.Kind == consent.Refusal {
			return nil
		}
	}
	return errors.New("the hub has no statement of the refusal")
}

// killedInWipe pulls the plug, as far as a process can have one, between the
// commit of a wipe and its end.
func (w *world) killedInWipe(ctx context.Context) error {
	t := w.tills[0]
	a, err := w.recognised(2)
	if err != nil {
		return err
	}
	t.process.stop()
	if err := t.start(ctx, store.StepTable, nil); err != nil {
		return err
	}
	if err := w.office.withdraw(ctx, a.id, a.Responsible[0].ID); err != nil {
		return err
	}
	if err := t.process.told(ctx, "STATUS=stopped at "+store.StepTable); err != nil {
		return err
	}
	t.process.kill()
	if err := t.start(ctx, "", nil); err != nil {
		return err
	}
	if err := w.receiptsOf(ctx, a.id, "a", "b"); err != nil {
		return err
	}
	if err := t.fingersOn(ctx); err != nil {
		return err
	}
	return w.nobodyThenPIN(ctx, t, a)
}

// recognised is the n-th of the actors, from 0, whose finger was found: that
// any other's is not found after a withdrawal would show nothing.
func (w *world) recognised(n int) (*actor, error) {
	for i := range w.cast {
		if w.cast[i].known == 0 {
			continue
		}
		if n == 0 {
			return &w.cast[i], nil
		}
		n--
	}
	return nil, errors.New("too few fingers were found to show that one is not found any more")
}

// receiptsOf waits until the hub has the wipe receipts of these terminals, and
// verifies each as anybody could: from its text and the terminal's key alone.
func (w *world) receiptsOf(ctx context.Context, id consent.SubjectID, terminals ...string) error {
	texts := map[string]string{}
	err := waitFor(ctx, "the wipe receipts at the hub", func() (bool, error) {
		all, err := w.office.receipts(ctx, id)
		for _, r := range all {
			texts[r.Terminal] = r.Body
		}
		missing := slices.ContainsFunc(terminals, func(t string) bool { return texts[t] == "" })
		return !missing, err
	})
	if err != nil {
		return err
	}
	for _, t := range w.tills {
		s, err := t.watcher.standing(ctx)
		if err != nil {
			return err
		}
		r, err := audit.VerifyReceipt(texts[t.name], s.Key)
		if err != nil {
			return fmt.Errorf("the receipt of terminal %s: %w", t.name, err)
		}
		if r.Subject != id || r.Event.Count == 0 {
			return fmt.Errorf("the receipt of terminal %s is about %d templates of another subject", t.name, r.Event.Count)
		}
	}
	return nil
}

// nobodyThenPIN presses the image that found its pupil before, which must find
// nobody now, and then serves the pupil by PIN.
func (w *world) nobodyThenPIN(ctx context.Context, t *terminal, a *actor) error {
	a.next = a.known // the same image, but not the same pixels: the sensor has its grain
	r, _, err := w.scan(ctx, t, a)
	if err != nil {
		return err
	}
	if r.Subject != "" {
		return errors.New("the finger still finds somebody")
	}
	if err := t.clear(ctx); err != nil {
		return err
	}
	v, err := t.key(ctx, a.pin)
	if err != nil {
		return err
	}
	if !is(v, a.id) {
		return errors.New("the PIN does not find its pupil")
	}
	return t.confirm(ctx, v)
}
