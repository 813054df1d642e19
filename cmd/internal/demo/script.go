package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tillprint/tillprint/device/zfm/zfmsim"
	"github.com/tillprint/tillprint/store"
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
		{"every terminal began in mode off and was commissioned for PINs, then for fingers (N1)", w.commissioned},
		{"ten fingers are enrolled at terminal a through the serial protocol, and known at terminal b", w.enrolAll},
		{"presses find the right pupil", w.pressAll},
		{"the point of sale has heard of each pupil served, by an opaque account", w.salesHeard},
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
	if err := w.tills[0].hearSales(ctx, w.sales.hear); err != nil {
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

// salesHeard waits until the point of sale at terminal a has heard of each press
// that was confirmed there, and of as many accounts as there were pupils.
func (w *world) salesHeard(ctx context.Context) error {
	return waitFor(ctx, fmt.Sprintf("%d sales at the outlet", w.served), func() (bool, error) {
		w.sales.Lock()
		defer w.sales.Unlock()
		return w.sales.heard == w.served && len(w.sales.accounts) == w.recognisedPupils(), nil
	})
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
