package till

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillprint/tillprint/matcher/sample"
	"github.com/tillprint/tillprint/store/audit"
)

// rowTime is what a row of an R503 takes at 115,200 baud, in round figures.
const rowTime = 9 * time.Millisecond

// slowly asks for a finger, lays one on a glass whose rows come in the pace of the
// wire, and waits for what follows.
func (w *world) slowly(s *sample.Sample) View {
	w.t.Helper()
	w.glass.set(func() { w.glass.pace = rowTime })
	w.must(w.till.Scan(w.ctx))
	w.glass.set(func() { w.glass.img = s })
	time.Sleep(fingerPoll + 200*rowTime)
	w.glass.set(func() { w.glass.img = nil })
	synctest.Wait()
	return w.till.View()
}

func (w *world) lastResult() Result {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.results) == 0 {
		w.t.Fatal("no press was dealt with")
	}
	return w.results[len(w.results)-1]
}

// TestDecidedBeforeTheWireIsDone: a clear finger is proposed while its rows still
// come, what is left of them is dropped, and the next press is read as ever.
func TestDecidedBeforeTheWireIsDone(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		for i := range 2 {
			v := w.slowly(w.aminas.press())
			if v.State != Proposed || v.Proposal.Subject != w.amina {
				t.Fatalf("press %d: %v, %q", i+1, v.State, v.Say)
			}
			r := w.lastResult()
			if r.Rows < 0.4 || r.Rows > 0.9 || w.glass.broken != i+1 {
				t.Errorf("press %d: decided at %.2f of the rows, %d uploads broken off", i+1, r.Rows, w.glass.broken)
			}
			if whole := 192 * rowTime; r.Wire >= whole {
				t.Errorf("press %d: %v on the wire, the whole image takes %v", i+1, r.Wire, whole)
			}
		}
	})
}

// TestReplayOnTheWayIsRefused: the picture that was decided on before all of it had
// come is known again, read in part or whole.
func TestReplayOnTheWayIsRefused(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		picture := w.aminas.press()
		if v := w.slowly(picture); v.State != Proposed {
			t.Fatal(v.State)
		}
		for _, pace := range []time.Duration{rowTime, 0} {
			w.glass.set(func() { w.glass.pace = pace })
			v := w.again(picture, pace)
			if v.State != TryAgain || !strings.Contains(v.Say, "same picture") {
				t.Fatalf("%v between rows: %v: %q", pace, v.State, v.Say)
			}
		}
		if faults := w.events(audit.Fault); len(faults) != 2 {
			t.Errorf("the log holds %+v", faults)
		}
	})
}

// again presses a picture, on a slow wire or an instant one.
func (w *world) again(s *sample.Sample, pace time.Duration) View {
	if pace > 0 {
		return w.slowly(s)
	}
	return w.scan(s)
}

// TestStrangerOnTheWay: a finger that nobody enrolled is read to its end.
func TestStrangerOnTheWay(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		if v := w.slowly(grow(3).press()); v.State != TryAgain {
			t.Fatalf("%v: %q", v.State, v.Say)
		}
		if r := w.lastResult(); r.Rows != 1 || w.glass.broken != 0 {
			t.Errorf("decided at %.2f of the rows, %d uploads broken off", r.Rows, w.glass.broken)
		}
	})
}

func TestTrace(t *testing.T) {
	long, other := trace{1, 2, 3}, trace{1, 5, 6}
	for _, c := range []struct {
		a, b trace
		want bool
	}{
		{long, long, true}, {long, trace{1, 2}, true}, {long, trace{1}, true},
		{long, other, false}, {other, trace{1, 2}, false}, {long, nil, false}, {nil, nil, false},
	} {
		if c.a.begins(c.b) != c.want || c.b.begins(c.a) != c.want {
			t.Errorf("%v and %v: want %v", c.a, c.b, c.want)
		}
	}
}
