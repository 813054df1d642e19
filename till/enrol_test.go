package till

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/matcher/sample"
	"github.com/tillprint/tillprint/matcher/synth"
	"github.com/tillprint/tillprint/store"
)

// TestEnrolment follows a child from the notice to a finger that is known.
func TestEnrolment(t *testing.T) {
	right, left := grow(4), grow(5)
	inWorld(t, nil, func(w *world) {
		cara := w.admit(withName("Cara Lee"), consent.Permit)
		w.must(w.till.Enrol(w.ctx, cara))
		if v := w.want(EnrolNotice); v.Pupil.Display != Notice {
			t.Errorf("the child sees %v (B5)", v.Pupil.Display)
		}
		if w.glass.scans != 0 {
			t.Error("the sensor was armed before the notice was answered")
		}
		if err := w.till.Cash(w.ctx); !errors.Is(err, ErrBusy) {
			t.Error("an enrolment is lost to a stray key")
		}
		w.must(w.till.EnrolYes(w.ctx))
		for i := range 3 {
			if v := w.want(EnrolPress); v.Enrolment.Press != i || v.Enrolment.Nth != 1 {
				t.Fatalf("before press %d: %+v", i+1, *v.Enrolment)
			}
			w.press(right.press())
		}
		for range 3 {
			w.want(EnrolPress)
			w.press(left.press())
		}
		w.want(Enrolled)
		counts, err := w.store.TemplateCount()
		if err != nil || counts[cara] != 6 {
			t.Fatalf("%d templates, %v", counts[cara], err)
		}
		items, err := w.store.Pending(0)
		if err != nil || len(items) == 0 || items[len(items)-1].Kind != store.ItemShare {
			t.Errorf("nothing waits for the other terminals: %v, %v", items, err)
		}
		if v := w.scan(left.press()); v.State != Proposed || v.Proposal.Subject != cara {
			t.Errorf("the enrolled finger: %v, %q", v.State, v.Say)
		}
	})
}

// TestEnrolNeedsConsent is A1: without permit now, the sensor is not armed.
func TestEnrolNeedsConsent(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.must(w.till.Enrol(w.ctx, w.zoe))
		w.want(FingersOff)
		if w.till.EnrolYes(w.ctx) == nil || w.till.EnrolOther(w.ctx) == nil || w.till.EnrolNo(w.ctx) == nil {
			t.Error("an enrolment that never began goes on")
		}
		if w.glass.scans != 0 {
			t.Error("the sensor was used")
		}
	})
}

// TestNoThanks is A3 at the enrolment: no counts at the notice and in the
// middle of the presses.
func TestNoThanks(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		for _, presses := range []int{0, 1} {
			id := w.admit(withName("Dan Ito"), consent.Permit)
			w.must(w.till.Enrol(w.ctx, id))
			if presses > 0 {
				w.must(w.till.EnrolYes(w.ctx))
				w.press(grow(uint64(6 + presses)).press())
			}
			w.must(w.till.EnrolNo(w.ctx))
			w.want(Refused)
			if ok, _ := w.custody.Permitted(id, w.store.Clock().Now()); ok || w.till.enrolling() {
				t.Errorf("after %d presses a no is no refusal", presses)
			}
		}
	})
}

// TestWithdrawnDuringEnrolment: what the hub withdraws while the child presses
// ends the enrolment, and nothing is kept.
func TestWithdrawnDuringEnrolment(t *testing.T) {
	right := grow(4)
	inWorld(t, nil, func(w *world) {
		id := w.admit(withName("Eve Moss"), consent.Permit)
		w.must(w.till.Enrol(w.ctx, id))
		w.must(w.till.EnrolYes(w.ctx))
		w.press(right.press())
		w.decide(id, consent.Erase, nil)
		w.press(right.press())
		w.want(FingersOff)
		if counts, _ := w.store.TemplateCount(); counts[id] != 0 || w.till.enrolling() {
			t.Error("something was kept")
		}
	})
}

// TestAlikeStopsAndAsks: a finger that is already somebody else's is not
// enrolled; another finger may be.
func TestAlikeStopsAndAsks(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		id := w.admit(withName("Finn Ray"), consent.Permit)
		w.must(w.till.Enrol(w.ctx, id))
		w.must(w.till.EnrolYes(w.ctx))
		w.press(w.aminas.press())
		if v := w.want(EnrolAlike); v.Enrolment.Alike != "Amina Khan, 7B" {
			t.Errorf("alike is %q", v.Enrolment.Alike)
		}
		w.must(w.till.EnrolOther(w.ctx))
		if v := w.want(EnrolPress); v.Enrolment.Finger != "right middle finger" || v.Enrolment.Press != 0 {
			t.Errorf("%+v", *v.Enrolment)
		}
		w.must(w.till.Clear(w.ctx))
		w.want(Idle)
	})
}

// TestMixedFingersAreNotEnrolled: presses of different fingers are noticed, the
// odd one is asked for again, and what is kept is of one finger.
func TestMixedFingersAreNotEnrolled(t *testing.T) {
	right, left, third := grow(4), grow(5), grow(6)
	enrolWith := func(f func(*world)) {
		inWorld(t, func(c *Config, _ *Parts) { c.Fingers, c.Unlike = []uint8{2}, 0.01 }, func(w *world) {
			w.must(w.till.Enrol(w.ctx, w.admit(withName("Ida Voss"), consent.Permit)))
			w.must(w.till.EnrolYes(w.ctx))
			f(w)
		})
	}
	t.Run("one stray", func(t *testing.T) {
		enrolWith(func(w *world) {
			w.press(left.press())
			w.press(right.press())
			w.press(right.press())
			v := w.want(EnrolPress)
			if v.Enrolment.Press != 2 || len(v.Advice) == 0 {
				t.Fatalf("after a stray press: %+v, %q", *v.Enrolment, v.Advice)
			}
			w.press(right.press())
			w.want(Enrolled)
			if v := w.scan(left.press()); v.State == Proposed {
				t.Error("the stray press was kept")
			}
		})
	})
	t.Run("three fingers", func(t *testing.T) {
		enrolWith(func(w *world) {
			for _, f := range []*finger{left, right, third} {
				w.press(f.press())
			}
			if v := w.want(EnrolPress); v.Enrolment.Press != 0 || len(w.till.enrolment.taken) != 0 {
				t.Errorf("after three different fingers: %+v", *v.Enrolment)
			}
		})
	})
}

// TestPoorPressDoesNotCount, and the words say what would help.
func TestPoorPressDoesNotCount(t *testing.T) {
	faint := sample.R503.Press(synth.NewMaster(4).Impression(1, synth.Conditions{ShiftX: 90, Moisture: -1, Missing: 0.7}))
	inWorld(t, func(c *Config, _ *Parts) { c.Quality = 100 }, func(w *world) {
		id := w.admit(withName("Gus Hall"), consent.Permit)
		w.must(w.till.Enrol(w.ctx, id))
		w.must(w.till.EnrolYes(w.ctx))
		w.press(faint)
		if v := w.want(EnrolPress); v.Enrolment.Press != 0 || v.Say == "" {
			t.Errorf("%+v, %q", *v.Enrolment, v.Say)
		}
	})
}

// TestEveryFingerIsOfferedOnce: hurt fingers can be passed over until none is
// left.
func TestEveryFingerIsOfferedOnce(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		id := w.admit(withName("Hal Ode"), consent.Permit)
		w.must(w.till.Enrol(w.ctx, id))
		w.must(w.till.EnrolYes(w.ctx))
		seen := map[string]bool{w.till.View().Enrolment.Finger: true}
		for w.till.EnrolOther(w.ctx) == nil {
			synctest.Wait()
			f := w.till.View().Enrolment.Finger
			if seen[f] {
				t.Fatalf("%s is offered twice", f)
			}
			seen[f] = true
		}
		if len(seen) != 9 { // ten fingers, of which one is the second to enrol
			t.Errorf("%d fingers were offered", len(seen))
		}
	})
}
