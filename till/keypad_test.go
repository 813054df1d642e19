package till

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/pin"
)

func TestKeypad(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		for i, k := range "493201" {
			w.must(w.till.Key(w.ctx, k))
			if i < 5 {
				if v := w.want(Keying); v.Keyed != i+1 {
					t.Fatalf("%d digits keyed, %d shown", i+1, v.Keyed)
				}
			}
		}
		if v := w.want(Proposed); v.Proposal.Subject != w.amina || len(v.Proposal.Dietary) != 1 {
			t.Fatalf("proposed %+v", v.Proposal)
		}
		if len(w.till.digits) != 0 {
			t.Error("digits outlive the PIN")
		}
		w.must(w.till.Key(w.ctx, '4'))
		w.must(w.till.Key(w.ctx, '*'))
		w.want(Idle)
		w.must(w.till.Key(w.ctx, '4'))
		w.must(w.till.Key(w.ctx, '#'))
		w.want(TryAgain)
		if w.till.Key(w.ctx, 'x') == nil {
			t.Error("x is a key")
		}
		if w.till.PIN(w.ctx, "49320x") == nil || w.till.PIN(w.ctx, "4932011") == nil {
			t.Error("nonsense is a PIN")
		}
		w.must(w.till.Keypad(w.ctx))
		time.Sleep(stayKeying)
		w.want(Idle)
	})
}

// TestPINThrottle: wrong PINs make the pad rest, the log is told, names go on,
// and the right PIN is taken again afterwards: nobody is locked out of lunch.
func TestPINThrottle(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		for range freeWrong {
			w.must(w.till.PIN(w.ctx, "000000"))
			w.want(TryAgain)
		}
		if len(w.events(audit.Fault)) != 0 {
			t.Error("the log tells of a few slips")
		}
		w.must(w.till.PIN(w.ctx, "000000"))
		w.want(TryAgain)
		if e := w.events(audit.Fault); len(e) != 1 || e[0].Action != actionPINsWrong || e[0].Subject != "" {
			t.Errorf("the log holds %+v", e)
		}
		w.must(w.till.PIN(w.ctx, "493201"))
		if v := w.want(TryAgain); !v.Offer {
			t.Error("a resting pad does not offer the name")
		}
		w.must(w.till.Choose(w.ctx, w.amina))
		w.want(Proposed)
		time.Sleep(longestRest)
		w.must(w.till.PIN(w.ctx, "000000"))
		w.want(TryAgain)
		time.Sleep(longestRest)
		w.must(w.till.PIN(w.ctx, "493201"))
		w.want(Proposed)
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.alerts) != 1 || !strings.Contains(w.alerts[0], "somebody may be guessing") {
			t.Errorf("one burst of wrong PINs, and the office was told %q", w.alerts)
		}
	})
}

// TestNoFingerWhileKeying is A15: with a polled sensor nothing is read while a
// PIN is keyed, and a finger on the glass then is nobody's.
func TestNoFingerWhileKeying(t *testing.T) {
	inWorld(t, func(c *Config, _ *Parts) { c.Trigger = OnPoll }, func(w *world) {
		time.Sleep(6 * time.Second) // the sensor has been opened and is being polled
		synctest.Wait()
		w.must(w.till.Key(w.ctx, '4'))
		before := w.glass.scans
		if before == 0 {
			t.Fatal("a polled sensor is not polled")
		}
		w.glass.set(func() { w.glass.img = w.aminas.press() })
		time.Sleep(10 * time.Second)
		synctest.Wait()
		w.want(Keying)
		if w.glass.scans != before {
			t.Errorf("%d looks at the glass during a PIN", w.glass.scans-before)
		}
	})
}

// TestPollServesTheNextByItself: with a polled sensor a pupil only presses; a
// finger left lying is not read twice.
func TestPollServesTheNextByItself(t *testing.T) {
	inWorld(t, func(c *Config, _ *Parts) { c.Trigger = OnPoll }, func(w *world) {
		time.Sleep(6 * time.Second)
		w.glass.set(func() { w.glass.img = w.aminas.press() })
		time.Sleep(time.Second)
		v := w.want(Proposed)
		w.must(w.till.Confirm(w.ctx, v.Proposal.ID))
		time.Sleep(3 * stayServed)
		w.want(Idle)
		w.glass.set(func() { w.glass.img = nil })
		time.Sleep(time.Second)
		if v := w.press(w.bens.press()); v.State != Proposed || v.Proposal.Subject != w.ben {
			t.Fatalf("the next pupil: %v", v.State)
		}
	})
}

func TestVerifiersOfTheStoreAreNotTrusted(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		p := withName("Broken Verifier")
		p.PINIndex, p.PINVerifier = pin.Index(pepper, []byte("777777")), "$argon2id$v=19$m=99999999,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"
		w.admit(p, 0)
		w.must(w.till.PIN(w.ctx, "777777"))
		w.want(TryAgain)
		if err := w.till.Confirm(w.ctx, "x"); !errors.Is(err, ErrStale) {
			t.Error(err)
		}
	})
}

// line is a touch line: a double that demands one waiter at a time.
type line struct {
	touch   chan struct{}
	waiting atomic.Int32
	crowd   atomic.Bool
}

func (l *line) Wait(ctx context.Context) error {
	if l.waiting.Add(1) > 1 {
		l.crowd.Store(true)
	}
	defer l.waiting.Add(-1)
	select {
	case <-l.touch:
		return nil
	case <-ctx.Done():
		time.Sleep(200 * time.Millisecond) // a line takes its time to notice
		return ctx.Err()
	}
}

// TestTouchWakesTheSensor: with a touch line the sensor rests until a finger
// comes (A15).
func TestTouchWakesTheSensor(t *testing.T) {
	l := &line{}
	inWorld(t, func(c *Config, p *Parts) { c.Trigger, p.Touch, l.touch = OnTouch, l, make(chan struct{}) }, func(w *world) {
		time.Sleep(2 * heartbeat)
		for range 3 { // each begins a new turn while the last waiter is still leaving
			w.must(w.till.Cash(w.ctx))
		}
		time.Sleep(2 * stayServed)
		synctest.Wait()
		if w.glass.scans != 0 || l.crowd.Load() {
			t.Fatalf("%d looks at the glass without a touch, crowd %v", w.glass.scans, l.crowd.Load())
		}
		l.touch <- struct{}{}
		if v := w.press(w.aminas.press()); v.State != Proposed {
			t.Errorf("after a touch: %v", v.State)
		}
	})
}
