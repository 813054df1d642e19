package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tillprint/tillprint/device/zfm/zfmsim"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/till"
)

// Bounds of the script: how long a step may take before it counts as not held.
const (
	stepTime  = 2 * time.Minute
	crowdTime = 10 * time.Minute
)

// leastFound is the share of presses that must find their subject.
func leastFound(m zfmsim.Model) float64 {
	if m == zfmsim.R307 {
		return 0.8
	}
	return 0.6
}

// play is the canteen hour: every step is tried, and each that does not hold
// is told and remembered.
func (w *world) play(ctx context.Context) error {
	fingers, err := w.scriptFingers()
	if err != nil {
		return err
	}
	if err := w.open(ctx, fingers); err != nil {
		return err
	}
	var broken []error
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"ten fingers are enrolled at terminal a through the serial protocol, and known at terminal b", w.enrolAll},
		{"presses find the right pupil", w.pressAll},
		{"a parent withdraws at the hub: evicted, wiped, receipts verify, the pupil eats by PIN", w.parentWithdraws},
		{"a pupil refuses at the till while the hub is away, and the hub learns of it", w.pupilRefuses},
		{"the terminal is killed in the middle of a wipe, and the wipe is complete after the next start", w.killedInWipe},
		{"no invariant is broken", w.invariants},
	} {
		limited, cancel := context.WithTimeoutCause(ctx, stepTime, errors.New("it took too long"))
		err := step.do(limited)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			broken = append(broken, err)
			fmt.Fprintf(w.o.Out, "BROKEN  %s: %v\n", step.name, err)
			continue
		}
		fmt.Fprintf(w.o.Out, "held    %s\n", step.name)
	}
	if len(broken) > 0 {
		return fmt.Errorf("%w: %d steps", ErrBroken, len(broken))
	}
	fmt.Fprintln(w.o.Out, "everything held")
	return nil
}

// scriptFingers are those of the folder, or as many synthetic ones as an FVC set has.
func (w *world) scriptFingers() ([]finger, error) {
	if w.o.Fingers != "" {
		return fingersOf(w.o.Fingers)
	}
	return grow(10, func(done int) { w.o.Progress("fingers", done, 10) }), nil
}

// open starts the hub, the tills and the crowd, and waits until both tills know it.
func (w *world) open(ctx context.Context, fingers []finger) error {
	if err := w.founding(ctx, fingers); err != nil {
		return err
	}
	if err := w.startHub(ctx); err != nil {
		return err
	}
	if err := w.openStation(ctx); err != nil {
		return err
	}
	templates, err := w.enrolCrowd(ctx)
	if err != nil {
		return err
	}
	if err := w.startTills(ctx, func(int, News) {}); err != nil {
		return err
	}
	limited, cancel := context.WithTimeoutCause(ctx, crowdTime, errors.New("it took too long"))
	defer cancel()
	for _, t := range w.tills {
		if err := t.fingersOn(limited); err != nil {
			return err
		}
	}
	return w.templatesAt(limited, w.tills[:], templates)
}

// templatesAt waits until each of the tills holds that many templates.
func (w *world) templatesAt(ctx context.Context, tills []*terminal, templates int) error {
	return waitFor(ctx, fmt.Sprintf("%d templates at the tills", templates), func() (bool, error) {
		least := templates
		for _, t := range tills {
			s, err := t.watcher.standing(ctx)
			if err != nil {
				return false, err
			}
			least = min(least, s.Templates)
		}
		w.o.Progress("gallery", least, templates)
		return least == templates, nil
	})
}

// enrolAll enrols every actor at terminal a, from their first presses.
func (w *world) enrolAll(ctx context.Context) error {
	before, err := w.tills[0].watcher.standing(ctx)
	if err != nil {
		return err
	}
	for i := range w.cast {
		if err := w.enrol(ctx, w.tills[0], &w.cast[i]); err != nil {
			return err
		}
	}
	return w.templatesAt(ctx, w.tills[:], before.Templates+enrolPresses*len(w.cast))
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
			return fmt.Errorf("press %d of finger %s was not taken: %s %v", press+1, a.finger.name(), v.Say, v.Advice)
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

// invariants asks both terminals to check what must always be true.
func (w *world) invariants(ctx context.Context) error {
	var all []store.Violation
	for _, t := range w.tills {
		s, err := t.watcher.standing(ctx)
		if err != nil {
			return err
		}
		all = append(all, s.Violations...)
		if n := t.sim.LibraryWrites(); n > 0 {
			all = append(all, store.Violation{Invariant: "I3", Text: fmt.Sprintf("%d writes into the sensor's own library", n)})
		}
	}
	if len(all) > 0 {
		return fmt.Errorf("%v", slices.Clone(all))
	}
	return nil
}
