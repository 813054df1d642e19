package till

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tillprint/tillprint/store/audit"
)

// TestFinger follows a finger from the glass to the outlet and the log.
func TestFinger(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.must(w.till.Scan(w.ctx))
		w.want(Reading)
		v := w.press(w.aminas.press())
		if v.State != Proposed || v.Proposal.Subject != w.amina {
			t.Fatalf("%v: %q, results %+v", v.State, v.Say, w.results)
		}
		if len(w.ear.heard) != 0 {
			t.Fatal("the outlet was told of a proposal that nobody had confirmed (G17)")
		}
		w.must(w.till.Confirm(w.ctx, v.Proposal.ID))
		w.want(Served)
		if len(w.ear.heard) != 1 || w.ear.heard[0].Subject != w.amina || w.ear.heard[0].ID != v.Proposal.ID {
			t.Errorf("the outlet heard %+v", w.ear.heard)
		}
		matches := w.events(audit.Match)
		if len(matches) != 1 || matches[0].Subject != w.amina || matches[0].Route != "finger" || matches[0].Band == "" {
			t.Errorf("the log holds %+v", matches)
		}
		if r := w.results[0]; r.Subject != w.amina || r.Score < r.Threshold || r.Rows == 1 && r.Wire == 0 {
			t.Errorf("the figures are %+v", r)
		}
		time.Sleep(stayServed)
		w.want(Idle)
		if w.ear.clear != 1 {
			t.Errorf("the outlet was cleared %d times", w.ear.clear)
		}
	})
}

// TestI3ImagesAreCleared: no image that the sensor handed over survives its
// press, whatever became of it.
func TestI3ImagesAreCleared(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.scan(w.aminas.press())
		w.scan(grow(3).press())
		if len(w.glass.cleared) != 2 {
			t.Fatalf("%d images", len(w.glass.cleared))
		}
		for _, pixels := range w.glass.cleared {
			for _, p := range pixels {
				if p != 0 {
					t.Fatal("an image was left in memory")
				}
			}
		}
	})
}

// TestStrangerLeavesNoTrace is A15: a finger that matches nobody is neither
// logged nor kept; after two tries the other routes come first (G18).
func TestStrangerLeavesNoTrace(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		stranger := grow(3)
		before := len(w.events(audit.Match)) + len(w.events(audit.Fault))
		if v := w.scan(stranger.press()); v.State != TryAgain || v.Offer || v.Proposal != nil {
			t.Fatalf("first try: %v, offer %v", v.State, v.Offer)
		}
		if v := w.scan(stranger.press()); v.State != TryAgain || !v.Offer {
			t.Fatalf("second try: %v, offer %v", v.State, v.Offer)
		}
		if after := len(w.events(audit.Match)) + len(w.events(audit.Fault)); after != before {
			t.Error("a stranger's finger was logged")
		}
		for _, r := range w.results {
			if r.Subject != "" {
				t.Error("a stranger was given a name")
			}
		}
	})
}

func TestReplayIsRefused(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		picture := w.aminas.press()
		if v := w.scan(picture); v.State != Proposed {
			t.Fatal(v.State)
		}
		if v := w.scan(picture); v.State != TryAgain || !strings.Contains(v.Say, "same picture") {
			t.Fatalf("%v: %q", v.State, v.Say)
		}
		if faults := w.events(audit.Fault); len(faults) != 1 || faults[0].Action != actionReplay {
			t.Errorf("the log holds %+v", faults)
		}
	})
}

// TestProposalLife: a proposal can be confirmed for 5 s and not a moment longer.
func TestProposalLife(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.must(w.till.Choose(w.ctx, w.amina))
		id := w.want(Proposed).Proposal.ID
		time.Sleep(ProposalLife - time.Nanosecond)
		w.must(w.till.Confirm(w.ctx, id))
		w.want(Served)

		w.must(w.till.Choose(w.ctx, w.ben))
		id = w.want(Proposed).Proposal.ID
		time.Sleep(ProposalLife)
		if err := w.till.Confirm(w.ctx, id); !errors.Is(err, ErrStale) {
			t.Fatalf("after %v: %v", ProposalLife, err)
		}
		w.want(Idle)
		if len(w.ear.heard) != 1 {
			t.Error("a stale identity reached the outlet")
		}
	})
}

// TestConfirmWantsItsOwnID: the operator confirms what they saw, not what came
// after it.
func TestConfirmWantsItsOwnID(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.must(w.till.Choose(w.ctx, w.amina))
		old := w.want(Proposed).Proposal.ID
		w.must(w.till.Choose(w.ctx, w.ben))
		if err := w.till.Confirm(w.ctx, old); !errors.Is(err, ErrStale) {
			t.Fatal("the next pupil was confirmed by the last one's id")
		}
		if err := w.till.NotThem(w.ctx, old); !errors.Is(err, ErrStale) {
			t.Fatal("the next pupil was rejected by the last one's id")
		}
		w.want(Proposed)
	})
}

// TestStaleResultNeverAttaches: a scan that comes back after the till has moved
// on proposes nobody.
func TestStaleResultNeverAttaches(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		hold := make(chan struct{})
		w.glass.set(func() { w.glass.hold, w.glass.img = hold, w.aminas.press() })
		w.must(w.till.Scan(w.ctx))
		w.must(w.till.Cash(w.ctx))
		w.want(Served)
		w.glass.set(func() { w.glass.img = nil })
		close(hold)
		if v := w.want(Served); v.Proposal.Subject != "" {
			t.Fatal("a late finger attached to a cash sale")
		}
		w.must(w.till.Choose(w.ctx, w.ben))
		time.Sleep(time.Second)
		if v := w.want(Proposed); v.Proposal.Subject != w.ben {
			t.Fatal("a late finger attached to the next pupil")
		}
	})
}

// TestNoRouteMark is C4 and C5: the pupil's display goes through the same views
// by every route, and so does what the operator sees of the person.
func TestNoRouteMark(t *testing.T) {
	type passage struct {
		pupil    []PupilView
		proposal Proposal
	}
	routes := map[string]func(w *world){
		"finger": func(w *world) { w.scan(w.aminas.press()) },
		"PIN":    func(w *world) { w.must(w.till.Keypad(w.ctx)); w.must(w.till.PIN(w.ctx, "493201")) },
		"name": func(w *world) {
			if _, err := w.till.Lookup(w.ctx, "am"); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			w.must(w.till.Choose(w.ctx, w.amina))
		},
	}
	passages := map[string]passage{}
	for route, walk := range routes {
		inWorld(t, nil, func(w *world) {
			views := w.till.Subscribe(w.ctx, 100)
			walk(w)
			p := passage{proposal: *w.want(Proposed).Proposal}
			w.must(w.till.Confirm(w.ctx, p.proposal.ID))
			time.Sleep(stayServed + time.Second)
			synctest.Wait()
			for len(views) > 0 {
				if v := (<-views).Pupil; len(p.pupil) == 0 || p.pupil[len(p.pupil)-1] != v {
					p.pupil = append(p.pupil, v)
				}
			}
			passages[route] = p
		})
	}
	want := []PupilView{{Display: Welcome}, {Display: OneMoment}, {Display: Hello, Name: "Amina K."}, {Display: Enjoy}, {Display: Welcome}}
	for route, p := range passages {
		if diff := cmp.Diff(want, p.pupil); diff != "" {
			t.Errorf("%s: the pupil's display (-want +got)\n%s", route, diff)
		}
		if diff := cmp.Diff(passages["name"].proposal, p.proposal, cmpopts.IgnoreFields(Proposal{}, "ID", "Expires", "Why")); diff != "" {
			t.Errorf("%s: the proposal (-name +got)\n%s", route, diff)
		}
	}
}

// TestServedTodayIsShownNotForbidden, also after a restart.
func TestServedTodayIsShownNotForbidden(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		serve := func() Proposal {
			w.must(w.till.Choose(w.ctx, w.amina))
			p := *w.want(Proposed).Proposal
			w.must(w.till.Confirm(w.ctx, p.ID))
			w.want(Served)
			return p
		}
		if p := serve(); !p.ServedToday.IsZero() {
			t.Error("served before the first time")
		}
		if p := serve(); p.ServedToday.IsZero() {
			t.Error("a second serving is not shown")
		}
		w.run(nil) // a second till over the same store stands for a restart
		if p := serve(); p.ServedToday.IsZero() {
			t.Error("a restart forgot who was served")
		}
		time.Sleep(24 * time.Hour)
		if p := serve(); !p.ServedToday.IsZero() {
			t.Error("yesterday counts as today")
		}
	})
}

func TestNotThem(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		v := w.scan(w.aminas.press())
		w.must(w.till.NotThem(w.ctx, v.Proposal.ID))
		w.want(TryAgain)
		if e := w.events(audit.Operator); len(e) != 1 || e[0].Action != actionNotThem || e[0].Subject != "" {
			t.Errorf("the log holds %+v", e)
		}
		if err := w.till.Confirm(w.ctx, v.Proposal.ID); !errors.Is(err, ErrStale) {
			t.Error("a rejected proposal was confirmed")
		}
	})
}

func TestCashAndOutside(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.must(w.till.Cash(w.ctx))
		w.want(Served)
		if len(w.ear.heard) != 0 {
			t.Error("cash has an identity (C2)")
		}
		for _, bad := range []string{"", "a b", strings.Repeat("1", 33), "<x>", "é"} {
			if w.till.Outside(w.ctx, bad) == nil {
				t.Errorf("%q is a reference", bad)
			}
		}
		w.must(w.till.Outside(w.ctx, "PP-1234"))
		v := w.want(Proposed)
		w.must(w.till.Confirm(w.ctx, v.Proposal.ID))
		if len(w.ear.heard) != 1 || w.ear.heard[0].Outside != "PP-1234" || w.ear.heard[0].Subject != "" {
			t.Errorf("the outlet heard %+v", w.ear.heard)
		}
	})
}

func TestLookup(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		for query, want := range map[string]int{"zoe": 1, "7b": 2, "mull 7b": 1, "nobody": 0, "": 0} {
			found, err := w.till.Lookup(w.ctx, query)
			if err != nil || len(found) != want {
				t.Errorf("%q finds %d, %v", query, len(found), err)
			}
		}
		w.want(Looking)
		late := w.admit(withName("Late Comer"), 0)
		w.till.PeopleChanged()
		if found, _ := w.till.Lookup(w.ctx, "late"); len(found) != 1 || found[0].Subject != late {
			t.Errorf("a newcomer is not found: %v", found)
		}
		time.Sleep(stayLooking)
		w.want(Idle)
	})
}

func TestSubscribersAreBounded(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		for range MaxSubscribers {
			if w.till.Subscribe(w.ctx, 1) == nil {
				t.Fatal("refused too early")
			}
		}
		if w.till.Subscribe(w.ctx, 1) != nil {
			t.Error("one too many")
		}
	})
}

// TestWaitingLooksTheSame: while the till works, the pupil's display does not
// tell what it waits for (C5).
func TestWaitingLooksTheSame(t *testing.T) {
	for _, s := range []State{Reading, Keying, Deciding, Looking} {
		v := View{State: s}
		if got := v.pupilView(); got != (PupilView{Display: OneMoment}) {
			t.Errorf("%v shows %v", s, got)
		}
	}
}

// TestConfirmBehindABusyTill: when a confirmation and the end of the proposal
// are ready at once, the end counts, whichever the till takes first.
func TestConfirmBehindABusyTill(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		for range 20 {
			w.must(w.till.Choose(w.ctx, w.amina))
			id := w.want(Proposed).Proposal.ID
			busy := make(chan error)
			go func() { busy <- w.till.do(w.ctx, func() error { time.Sleep(2 * ProposalLife); return nil }) }()
			synctest.Wait()
			if err := w.till.Confirm(w.ctx, id); !errors.Is(err, ErrStale) {
				t.Fatalf("a proposal was confirmed %v late: %v", ProposalLife, err)
			}
			w.must(<-busy)
		}
	})
}
