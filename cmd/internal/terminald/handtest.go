package terminald

import (
	"context"
	"errors"
	"fmt"

	"github.com/tillprint/tillprint/cmd/internal/selftest"
	"github.com/tillprint/tillprint/sync/register"
	"github.com/tillprint/tillprint/till"
	"github.com/tillprint/tillprint/till/web"
)

// Test is how the last test stands.
func (w *workshop) Test() (web.Test, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	test := w.test
	test.Found = append([]till.Lamp(nil), test.Found...)
	if last := w.t.tested.Load(); last != nil && !test.Running && last.At.After(test.At) { // made at the first start, or by the command
		test = web.Test{At: last.At, Found: lampsFrom(last.Checks)}
	}
	return test, w.changed
}

// now changes how it stands, and lets everybody know who watches.
func (w *workshop) now(change func(*web.Test)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.test)
	close(w.changed)
	w.changed = make(chan struct{})
}

// StartTest begins a test, unless one is under way.
func (w *workshop) StartTest(hands bool) (err error) {
	w.now(func(t *web.Test) {
		switch {
		case w.leaving:
			err = web.ErrLeaving
		case t.Running:
			err = web.ErrUnderWay
		default:
			*t = web.Test{Running: true}
			w.begin <- hands
		}
	})
	return err
}

// Answer answers the question that is asked.
func (w *workshop) Answer(yes bool) (err error) {
	w.now(func(t *web.Test) {
		if !t.Question {
			err = web.ErrNoQuestion
			return
		}
		t.Question, t.Say = false, ""
		w.answers <- yes
	})
	return err
}

// runTests makes the tests that are begun, until ctx ends.
func (w *workshop) runTests(ctx context.Context) error {
	for {
		select {
		case hands := <-w.begin:
			w.runTest(ctx, hands)
		case <-ctx.Done():
			return nil
		}
	}
}

func (w *workshop) runTest(ctx context.Context, hands bool) {
	p := w.c.plan(w.t.Store)
	p.Found = func(c register.Check) {
		w.now(func(t *web.Test) { t.Say, t.Found = "", append(t.Found, lampsFrom([]register.Check{c})...) })
	}
	var s *SelfTest
	var err error
	if hands {
		p.Say = func(format string, args ...any) {
			w.now(func(t *web.Test) { t.Say = fmt.Sprintf(format, args...) })
		}
		p.Saw = w.saw
		s, err = w.t.handTest(ctx, w.c, p)
	} else {
		s, err = w.t.testBeside(ctx, w.c, p)
	}
	switch {
	case errors.Is(err, till.ErrBusy):
		err = errors.New("somebody is being enrolled at the till; try again when that is done")
	case err != nil:
		w.t.log.Error("the self-test failed", "err", err)
	}
	w.now(func(t *web.Test) {
		*t = web.Test{At: w.t.Store.Now()}
		if err != nil {
			t.Trouble = "The test came to nothing: " + err.Error() + "."
		} else {
			t.Found = lampsFrom(s.Checks)
		}
	})
}

// saw asks whoever stands at the terminal, until ctx ends.
func (w *workshop) saw(ctx context.Context, question string) (bool, error) {
	w.now(func(t *web.Test) { t.Say, t.Question = question, true })
	select {
	case yes := <-w.answers:
		return yes, nil
	case <-ctx.Done():
	}
	w.now(func(t *web.Test) { t.Say, t.Question = "", false })
	select {
	case yes := <-w.answers: // it came at the last moment
		return yes, nil
	default:
		return false, ctx.Err()
	}
}

// handTest tries the parts with somebody who stands there. The till lends sensor and touch line for so long, and the keypad's
// keys; PIN at the operator's page, name and cash go on.
func (t *Terminal) handTest(ctx context.Context, c Config, p selftest.Plan) (s *SelfTest, err error) {
	p.Beside, p.Hands = true, true
	p.Line = t.touch
	keys, giveBack := t.pad.lend()
	defer giveBack()
	p.Keys = keys
	var failed error
	err = t.Till.Lend(ctx, "being tried by a technician", func() { s, failed = t.testAndTell(ctx, c, p) })
	return s, errors.Join(err, failed)
}
