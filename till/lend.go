package till

import "context"

// Lend hands sensor and touch line to whoever tries them: while use runs, the sensor is closed, nobody waits on the touch
// line, and the view says why. PIN, name and cash go on meanwhile (I6). An enrolment under way is not disturbed: ErrBusy.
// use must end when ctx does, and ctx no later than Run's.
func (t *Till) Lend(ctx context.Context, why string, use func()) error {
	if err := t.do(ctx, func() error { return t.lend(why) }); err != nil {
		return err
	}
	defer t.do(context.WithoutCancel(ctx), t.takeBack) // a till that has stopped needs nothing back
	if t.reader != nil {
		b, err := t.reader.take(ctx)
		if err != nil {
			return err
		}
		t.reader.drop(b, why)
		defer wake(t.reader.lost)
		defer t.reader.give(b)
	}
	select {
	case t.touching <- struct{}{}:
		defer func() { <-t.touching }()
	case <-ctx.Done():
		return ctx.Err()
	}
	use()
	return ctx.Err()
}

// lend ends the wait for a finger. Whoever is being served by another route goes on.
func (t *Till) lend(why string) error {
	if t.enrolling() || t.lent != "" {
		return ErrBusy
	}
	t.lent = why
	switch t.view.State {
	case Idle, Reading, Served, TryAgain, FingersOff:
		t.idle("")
	}
	return nil
}

func (t *Till) takeBack() error {
	t.lent = ""
	if t.view.State == Idle {
		t.idle("")
	}
	return nil
}
