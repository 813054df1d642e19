package till

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// While a technician has the sensor it is closed, lunch goes on by the other routes, and afterwards it is the till's again,
// whatever waited for a finger before.
func TestASensorThatIsLent(t *testing.T) {
	for _, trigger := range []Trigger{OnRequest, OnPoll} {
		inWorld(t, func(c *Config, _ *Parts) { c.Trigger = trigger }, func(w *world) {
			lent, back, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
			go func() {
				done <- w.till.Lend(w.ctx, "being tried", func() { close(lent); <-back })
			}()
			<-lent
			before := w.glass.scans // a polling till may have looked before it lent
			if w.glass.closed != 1 {
				t.Errorf("the sensor was closed %d times", w.glass.closed)
			}
			if err := w.till.Lend(w.ctx, "again", func() { t.Error("lent twice") }); !errors.Is(err, ErrBusy) {
				t.Errorf("lent twice: %v", err)
			}
			w.must(w.till.Scan(w.ctx))
			if v := w.want(FingersOff); !strings.Contains(v.Say, "being tried. Serve by PIN") {
				t.Errorf("it says %q", v.Say)
			}
			w.must(w.till.PIN(w.ctx, "493201"))
			v := w.want(Proposed)
			w.must(w.till.Confirm(w.ctx, v.Proposal.ID))
			time.Sleep(stayServed + 2*heartbeat)
			w.want(Idle)
			if w.glass.scans != before {
				t.Error("the sensor was used meanwhile")
			}
			close(back)
			if err := <-done; err != nil {
				t.Error(err)
			}
			synctest.Wait()
			if v := w.scan(w.aminas.press()); v.State != Proposed {
				t.Errorf("afterwards: %v %q", v.State, v.Say)
			}
		})
	}
}

// An enrolment is not taken the sensor, and who has waited for it in vain leaves nothing lent.
func TestASensorThatIsNotLent(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.must(w.till.Enrol(w.ctx, w.ben))
		if err := w.till.Lend(w.ctx, "being tried", func() { t.Error("lent") }); !errors.Is(err, ErrBusy) {
			t.Errorf("beside an enrolment: %v", err)
		}
		w.must(w.till.Clear(w.ctx))
		ctx, cancel := context.WithCancel(w.ctx)
		b, err := w.till.reader.take(ctx)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- w.till.Lend(ctx, "being tried", func() { t.Error("lent") }) }()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		w.till.reader.give(b)
		if v := w.scan(w.aminas.press()); v.State != Proposed {
			t.Errorf("afterwards: %v %q", v.State, v.Say)
		}
	})
}
