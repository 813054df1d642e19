package till

import (
	"context"
	"time"
)

// do runs an action on the till's goroutine and returns its error once the view
// that follows from it has been published.
func (t *Till) do(ctx context.Context, run func() error) error {
	a := action{accountOf(ctx), run, make(chan error, 1)}
	select {
	case t.actions <- a:
		return <-a.done
	case <-t.stopped:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Alive returns nil once the till's goroutine has answered: it is not stuck.
func (t *Till) Alive(ctx context.Context) error { return t.do(ctx, func() error { return nil }) }

// start runs work beside the till, with a context that ends with this turn. What
// work returns is run on the till's goroutine, unless the turn is over by then.
func (t *Till) start(work func(ctx context.Context) func()) {
	turn, ctx := t.turn, t.turnCtx
	t.workers.Go(func() { t.post(turn, work(ctx)) })
}

// finish runs work that must end whatever the till does meanwhile: a refusal, an
// audit event.
func (t *Till) finish(work func(ctx context.Context) func()) {
	t.workers.Go(func() {
		ctx := context.WithoutCancel(t.ctx)
		apply := work(ctx)
		t.send(apply)
	})
}

// post hands apply to the till's goroutine for the given turn.
func (t *Till) post(turn uint64, apply func()) {
	t.send(func() {
		if turn == t.turn && apply != nil {
			apply()
		}
	})
}

// send reports whether apply will be run; it is, also while the till stops.
func (t *Till) send(apply func()) bool {
	if apply == nil {
		return true
	}
	select {
	case t.events <- apply:
		return true
	case <-t.stopped:
		return false
	}
}

// enter begins a new turn. What was under way is cancelled, and its result,
// should one still come, belongs to a turn that is over.
func (t *Till) enter(state State, say string, stay time.Duration) {
	t.unconfirmed()
	t.endTurn()
	t.turn++
	t.turnCtx, t.endTurn = context.WithCancel(t.ctx)
	t.show(state, say, stay)
	t.forget()
}

// show changes what is shown without ending the turn.
func (t *Till) show(state State, say string, stay time.Duration) {
	if t.view.State == Served {
		for _, o := range t.parts.Outlets {
			o.Cleared()
		}
	}
	t.view.State, t.view.Say, t.view.Advice, t.view.Offer = state, say, nil, false
	t.view.Proposal, t.view.Enrolment, t.view.Keyed = nil, nil, 0
	t.until = time.Time{}
	t.timer.Stop()
	if stay > 0 {
		t.until = time.Now().Add(stay) // the monotonic clock: a step of the wall clock must not stretch a proposal
		t.timer.Reset(stay)
	}
}

// forget clears what must not outlive a turn.
func (t *Till) forget() {
	clear(t.digits)
	t.digits = t.digits[:0]
	t.who, t.claimed = identity{}, ""
}

// expire ends a state that has lasted its time.
func (t *Till) expire() {
	switch t.view.State {
	case Proposed:
		t.idle("Nobody confirmed in time. Identify the pupil again.")
	case Reading:
		t.idle("No finger came.")
	case EnrolNotice, EnrolPress, EnrolAlike:
		t.endEnrolment(actionGivenUp)
		t.idle("The enrolment was given up: nothing came for a while. Nothing has been kept.")
	default:
		t.idle("")
	}
}

// idle waits for the next basket.
func (t *Till) idle(say string) {
	t.tries = 0
	t.enter(Idle, say, 0)
	t.arm()
}
