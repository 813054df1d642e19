package demo

import (
	"context"
	"errors"
	"fmt"

	"github.com/tillprint/tillprint/till"
)

// errNotTaken is a press that the till would not enrol: a failure to enrol,
// which is counted, not retried with other images.
var errNotTaken = errors.New("the press was not taken")

// enrolAll enrols every actor at terminal a, from their first presses. Whoever
// cannot be enrolled is told; their later presses count as not found.
func (w *world) enrolAll(ctx context.Context) error {
	before, err := w.tills[0].watcher.standing(ctx)
	if err != nil {
		return err
	}
	enrolled := 0
	for i := range w.cast {
		a := &w.cast[i]
		err := w.enrol(ctx, w.tills[0], a)
		a.next = enrolPresses
		switch {
		case errors.Is(err, errNotTaken):
			fmt.Fprintf(w.o.Out, "finger %s cannot be enrolled: %v\n", a.finger.name(), err)
			w.tills[0].sim.Lift()
			err = w.tills[0].clear(ctx)
		case err == nil:
			enrolled++
		}
		if err != nil {
			return err
		}
	}
	return w.templatesAt(ctx, w.tills[:], before.Templates+enrolPresses*enrolled)
}

// enrol walks one actor through the enrolment on the till's page: notice, yes,
// and a press each time that the page asks for one.
func (w *world) enrol(ctx context.Context, t *terminal, a *actor) error {
	if err := t.do(ctx, "enrol", form("subject", string(a.id))); err != nil {
		return err
	}
	if _, err := t.watcher.until(ctx, "the notice", inState(till.EnrolNotice)); err != nil {
		return err
	}
	if err := t.do(ctx, "enrol-yes", nil); err != nil {
		return err
	}
	for press := range enrolPresses {
		asked := func(v till.View) bool {
			return v.State == till.Enrolled || v.State == till.EnrolPress && v.Enrolment.Press == press
		}
		if _, err := t.watcher.until(ctx, "a press to be asked for", asked); err != nil {
			return err
		}
		if err := t.lift(ctx); err != nil {
			return err
		}
		if err := w.pressNext(t, a); err != nil {
			return err
		}
		taken := func(v till.View) bool {
			return v.State == till.Enrolled || v.State == till.EnrolAlike || v.State == till.EnrolPress && (v.Enrolment.Press > press || len(v.Advice) > 0)
		}
		v, err := t.watcher.until(ctx, "a press to be taken", taken)
		if err != nil {
			return err
		}
		if v.State == till.EnrolAlike || v.State == till.EnrolPress && v.Enrolment.Press == press {
			return fmt.Errorf("press %d: %w: %s %v", press+1, errNotTaken, v.Say, v.Advice)
		}
	}
	t.sim.Lift()
	_, err := t.watcher.until(ctx, "the enrolment to be sealed", inState(till.Enrolled))
	return err
}

// pressNext lays the actor's next image on the glass.
func (w *world) pressNext(t *terminal, a *actor) error {
	image, err := a.finger.press(a.next)
	a.next++
	if err != nil {
		return err
	}
	defer image.Clear()
	return t.press(image)
}

// pressAll presses the images that were not enrolled and prints a line for each.
func (w *world) pressAll(ctx context.Context) error {
	const most = 5 // presses of a synthetic finger, which has no end of them
	var tally tally
	fmt.Fprintln(w.o.Out, "press      meant  found      score  margin  threshold  wire ms  compute ms")
	for i := range w.cast {
		a := &w.cast[i]
		for n := 0; n < most && a.next < a.finger.presses(); n++ {
			if err := w.identify(ctx, w.tills[0], a, &tally); err != nil {
				return err
			}
		}
	}
	fmt.Fprintf(w.o.Out, "%d presses: %d found theirs (%.0f %%), %d nobody, %d somebody else\n",
		tally.presses, tally.right, tally.share(), tally.nobody, tally.wrong)
	switch {
	case tally.wrong > 0:
		return fmt.Errorf("%d presses were given to the wrong pupil", tally.wrong)
	case tally.presses == 0:
		return errors.New("there was nothing to press")
	case tally.share() < 100*leastFound(w.o.Sensor):
		return fmt.Errorf("%.0f %% of the presses found theirs, fewer than %.0f %%", tally.share(), 100*leastFound(w.o.Sensor))
	}
	return nil
}

type tally struct{ presses, right, nobody, wrong int }

func (t tally) share() float64 { return 100 * float64(t.right) / float64(t.presses) }

// identify presses once, prints what came of it and serves whoever was rightly found.
func (w *world) identify(ctx context.Context, t *terminal, a *actor, tally *tally) error {
	number := a.next + 1
	r, v, err := w.scan(ctx, t, a)
	if err != nil {
		return err
	}
	tally.presses++
	found := "-"
	switch {
	case r.Subject == "":
		tally.nobody++
	case r.Subject == a.id:
		tally.right++
		a.known = number - 1
		found = a.finger.name()
	default:
		tally.wrong++
		found = "WRONG"
	}
	fmt.Fprintf(w.o.Out, "%-10d %-6s %-8s %7.1f %7.1f %10.1f %8d %11.1f\n", number, a.finger.name(), found, r.Score, r.Margin, r.Threshold,
		r.Wire.Milliseconds(), float64(r.Compute.Microseconds())/1000)
	if r.Subject == a.id {
		w.served++
		return t.confirm(ctx, v)
	}
	return nil
}

// scan presses the actor's next image and returns the till's decision.
func (w *world) scan(ctx context.Context, t *terminal, a *actor) (till.Result, till.View, error) {
	if err := t.clear(ctx); err != nil {
		return till.Result{}, till.View{}, err
	}
	t.watcher.forget()
	if err := w.pressNext(t, a); err != nil {
		return till.Result{}, till.View{}, err
	}
	defer t.sim.Lift()
	if err := t.do(ctx, "finger", nil); err != nil {
		return till.Result{}, till.View{}, err
	}
	r, err := t.watcher.scan(ctx)
	if err != nil {
		return r, till.View{}, err
	}
	v, err := t.watcher.until(ctx, "the decision", func(v till.View) bool { return v.State == till.Proposed || v.State == till.TryAgain })
	return r, v, err
}
