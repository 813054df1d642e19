package till

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/store/audit"
)

// TestRefuse is A3 and A4: one call on a proposed pupil, and their finger is
// gone; they are served by name at once.
func TestRefuse(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.scan(w.aminas.press())
		w.want(Proposed)
		w.must(w.till.Refuse(w.ctx, w.amina))
		w.want(Refused)
		if w.gallery.Has(string(w.amina)) || w.store.HasFingerKey(w.amina) {
			t.Error("a refused finger is still held")
		}
		if len(w.events(audit.Refusal)) != 1 || len(w.events(audit.Wipe)) != 1 {
			t.Error("the log does not hold the refusal and its wipe")
		}
		w.must(w.till.Choose(w.ctx, w.amina))
		w.want(Proposed)
		if v := w.scan(w.aminas.press()); v.State != TryAgain {
			t.Errorf("a refused finger is %v", v.State)
		}
		if err := w.till.Refuse(w.ctx, "nonsense"); err == nil {
			t.Error("nonsense refused")
		}
	})
}

// TestRefusalOutlivesADiskFault: while the disk fails the finger is not matched
// all the same, the health bar says so, and the refusal is written later.
func TestRefusalOutlivesADiskFault(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.breakCustody = errDisk
		w.must(w.till.Refuse(w.ctx, w.amina))
		if v := w.scan(w.aminas.press()); v.State == Proposed {
			t.Error("a refused finger was proposed because the disk failed")
		}
		if !bad(w.till.View(), "Disk") {
			t.Errorf("the health bar says %+v", w.till.View().Health)
		}
		w.mu.Lock()
		w.breakCustody = nil
		w.mu.Unlock()
		time.Sleep(2 * refuseAgain)
		synctest.Wait()
		if len(w.events(audit.Refusal)) != 1 || bad(w.till.View(), "Disk") {
			t.Errorf("the refusal was not made good after %d tries", w.refusalsTried)
		}
	})
}

func bad(v View, part string) bool {
	for _, l := range v.Health {
		if l.Part == part && l.Level == Bad {
			return true
		}
	}
	return false
}

// TestWithdrawnBetweenProposalAndConfirmation is A12: consent is asked for
// again when the operator confirms.
func TestWithdrawnBetweenProposalAndConfirmation(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		v := w.scan(w.aminas.press())
		w.decide(w.amina, consent.Erase, nil)
		if err := w.till.Confirm(w.ctx, v.Proposal.ID); err == nil {
			t.Fatal("a withdrawn finger was confirmed")
		}
		w.want(TryAgain)
		if len(w.ear.heard) != 0 {
			t.Error("a withdrawn finger reached the outlet")
		}
	})
}

// TestI9NoOverride: whatever an operator presses after a refusal, and in
// whatever order, the pupil's finger is not held, matched or enrolled again.
func TestI9NoOverride(t *testing.T) {
	inWorld(t, func(c *Config, _ *Parts) { c.Trigger = OnPoll }, func(w *world) {
		w.must(w.till.Refuse(w.ctx, w.amina))
		presses := map[string]func(){
			"scan":    func() { w.till.Scan(w.ctx); w.press(w.aminas.press()) },
			"choose":  func() { w.till.Choose(w.ctx, w.amina) },
			"pin":     func() { w.till.PIN(w.ctx, "493201") },
			"confirm": func() { w.confirm() },
			"not":     func() { w.reject() },
			"enrol":   func() { w.till.Enrol(w.ctx, w.amina) },
			"yes":     func() { w.till.EnrolYes(w.ctx); w.press(w.aminas.press()) },
			"other":   func() { w.till.EnrolOther(w.ctx); w.press(w.aminas.press()) },
			"clear":   func() { w.till.Clear(w.ctx) },
			"wait":    func() { time.Sleep(7 * time.Second) },
		}
		names := slices.Sorted(maps.Keys(presses))
		rapid.Check(t, func(rt *rapid.T) {
			for _, name := range rapid.SliceOfN(rapid.SampledFrom(names), 1, 8).Draw(rt, "presses") {
				presses[name]()
				synctest.Wait()
				v := w.till.View()
				if w.gallery.Has(string(w.amina)) || w.store.HasFingerKey(w.amina) {
					rt.Fatal("the finger is held again")
				}
				if v.Enrolment != nil && v.Enrolment.Subject == w.amina {
					rt.Fatal("an enrolment began")
				}
				for _, r := range w.results {
					if r.Subject == w.amina {
						rt.Fatal("the finger was matched")
					}
				}
			}
		})
	})
}

func (w *world) confirm() error {
	if p := w.till.View().Proposal; p != nil {
		return w.till.Confirm(w.ctx, p.ID)
	}
	return ErrStale
}

func (w *world) reject() error {
	if p := w.till.View().Proposal; p != nil {
		return w.till.NotThem(w.ctx, p.ID)
	}
	return ErrStale
}

// TestAProposalNeverOutlivesItsBasket is the 5 s guard as a property: however
// actions and time interleave, an id confirms only the proposal it was shown
// with, only within its life, and only as long as nothing else has begun.
func TestAProposalNeverOutlivesItsBasket(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		type offered struct {
			id      string
			subject consent.SubjectID
			since   time.Time
		}
		var last offered // the newest proposal seen
		over := true     // something else has begun since
		rapid.Check(t, func(rt *rapid.T) {
			begin := func(f func()) func(*rapid.T) { return func(*rapid.T) { over = true; f(); synctest.Wait() } }
			rt.Repeat(map[string]func(*rapid.T){
				"amina": begin(func() { w.till.Choose(w.ctx, w.amina) }),
				"ben":   begin(func() { w.till.Choose(w.ctx, w.ben) }),
				"pin":   begin(func() { w.till.PIN(w.ctx, "493201") }),
				"cash":  begin(func() { w.till.Cash(w.ctx) }),
				"clear": begin(func() { w.till.Clear(w.ctx) }),
				"name":  begin(func() { w.till.Lookup(w.ctx, "a") }),
				"key":   begin(func() { w.till.Key(w.ctx, '1') }),
				"wait": func(rt *rapid.T) {
					time.Sleep(time.Duration(rapid.IntRange(1, 6000).Draw(rt, "ms")) * time.Millisecond)
				},
				"confirm the last one": func(rt *rapid.T) {
					heard := len(w.ear.heard)
					err := w.till.Confirm(w.ctx, last.id)
					synctest.Wait()
					fresh := !over && time.Since(last.since) < ProposalLife
					if (err == nil) != fresh {
						rt.Fatalf("confirming after %v, begun anew %v: %v", time.Since(last.since), over, err)
					}
					if err == nil && (len(w.ear.heard) != heard+1 || w.ear.heard[heard].Subject != last.subject) {
						rt.Fatal("the outlet heard of somebody else")
					}
					over = true
				},
				"": func(rt *rapid.T) {
					synctest.Wait()
					v := w.till.View()
					if v.State != Proposed {
						return
					}
					if v.Proposal.ID != last.id {
						last, over = offered{v.Proposal.ID, v.Proposal.Subject, time.Now()}, false
					}
					if time.Since(last.since) >= ProposalLife {
						rt.Fatalf("a proposal stands after %v", time.Since(last.since))
					}
				},
			})
		})
	})
}

// TestI6LostSensor: a sensor that goes away takes nothing but its own route
// with it, and is found again by itself.
func TestI6LostSensor(t *testing.T) {
	for name, fault := range map[string]error{"unplugged": zfm.ErrUnplugged, "silent line": zfm.ErrLine, "hostile geometry": &zfm.GeometryError{}, "unknown": context.DeadlineExceeded} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, nil, func(w *world) {
				w.glass.set(func() { w.glass.fault, w.glass.gone = fault, zfm.ErrNoModule })
				w.must(w.till.Scan(w.ctx))
				w.press(w.aminas.press())
				w.want(FingersOff)
				if !bad(w.till.View(), "Sensor") || w.glass.closed == 0 {
					t.Errorf("health %+v, closed %d times", w.till.View().Health, w.glass.closed)
				}
				w.must(w.till.PIN(w.ctx, "493201"))
				w.want(Proposed)
				w.must(w.till.Choose(w.ctx, w.ben))
				w.want(Proposed)
				w.must(w.till.Cash(w.ctx))
				w.want(Served)
				w.must(w.till.Scan(w.ctx))
				w.want(FingersOff)
				w.glass.set(func() { w.glass.fault, w.glass.gone = nil, nil })
				time.Sleep(2 * longRetry)
				if v := w.scan(w.aminas.press()); v.State != Proposed {
					t.Errorf("after the sensor came back: %v, %q", v.State, v.Say)
				}
			})
		})
	}
}

// TestIdleSensorIsMissed: an unplugged sensor is noticed without a scan.
func TestIdleSensorIsMissed(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.glass.set(func() { w.glass.fault, w.glass.gone = zfm.ErrUnplugged, zfm.ErrUnplugged })
		time.Sleep(2 * heartbeat)
		synctest.Wait()
		if !bad(w.till.View(), "Sensor") || w.glass.scans != 0 {
			t.Errorf("health %+v after %d scans", w.till.View().Health, w.glass.scans)
		}
	})
}

// TestFingersOff: each reason is said, and none of them opens the sensor.
func TestFingersOff(t *testing.T) {
	for name, change := range map[string]func(*Config, *Parts){
		"site mode": func(c *Config, _ *Parts) { c.Biometrics = false },
		"no sensor": func(_ *Config, p *Parts) { p.OpenScanner = nil },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, change, func(w *world) {
				w.must(w.till.Scan(w.ctx))
				if v := w.want(FingersOff); v.Say == "" {
					t.Error("no reason is said")
				}
				w.must(w.till.PIN(w.ctx, "493201"))
				w.want(Proposed)
			})
		})
	}
	t.Run("lease", func(t *testing.T) {
		inWorld(t, nil, func(w *world) {
			time.Sleep(25 * time.Hour)
			if v := w.scan(w.aminas.press()); v.State != FingersOff {
				t.Errorf("with a lease that has run out: %v (I7)", v.State)
			}
			w.must(w.till.PIN(w.ctx, "493201"))
			w.want(Proposed)
		})
	})
}

// TestA16TheSensorFollowsTheSite: a hub that turns the site's fingers off closes
// the serial port, also in the middle of a look, and opens it again later.
func TestA16TheSensorFollowsTheSite(t *testing.T) {
	for name, look := range map[string]Trigger{"idle": OnRequest, "looking": OnPoll} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(c *Config, _ *Parts) { c.Trigger = look }, func(w *world) {
				time.Sleep(2 * heartbeat)
				synctest.Wait()
				if polled := w.glass.scans > 0; polled != (look == OnPoll) {
					t.Fatalf("the glass was looked at: %v", polled)
				}
				if _, err := w.custody.SetBiometrics(w.ctx, false); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2 * heartbeat)
				synctest.Wait()
				w.glass.mu.Lock()
				closed, scans := w.glass.closed, w.glass.scans
				w.glass.mu.Unlock()
				if closed != 1 || bad(w.till.View(), "Sensor") {
					t.Errorf("closed %d times, %+v", closed, w.till.View().Health)
				}
				w.must(w.till.Scan(w.ctx))
				w.want(FingersOff)
				w.must(w.till.PIN(w.ctx, "493201"))
				w.want(Proposed)
				if w.glass.scans != scans {
					t.Error("the glass was looked at")
				}
				if _, err := w.custody.SetBiometrics(w.ctx, true); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2 * heartbeat)
				w.must(w.till.Scan(w.ctx))
				w.want(Reading)
			})
		})
	}
}

// TestA16NoDriverIsOpened: a terminal that starts at a site without biometrics never opens the serial port, whatever is pressed, and
// serves by PIN, name and cash.
func TestA16NoDriverIsOpened(t *testing.T) {
	a, b := grow(1), grow(2)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, a, b)
		if _, err := w.custody.SetBiometrics(w.ctx, false); err != nil {
			t.Fatal(err)
		}
		var opened atomic.Int32
		w.run(func(c *Config, p *Parts) {
			c.Trigger = OnPoll
			p.OpenScanner = func(context.Context) (Scanner, error) { opened.Add(1); return w.glass, nil }
		})
		time.Sleep(2 * longRetry)
		w.must(w.till.Scan(w.ctx))
		w.want(FingersOff)
		if err := w.till.Enrol(w.ctx, w.amina); err == nil && w.till.View().State == EnrolNotice {
			t.Error("an enrolment begins")
		}
		w.must(w.till.PIN(w.ctx, "493201"))
		w.want(Proposed)
		w.must(w.till.Choose(w.ctx, w.ben))
		w.want(Proposed)
		w.must(w.till.Cash(w.ctx))
		w.want(Served)
		if n := opened.Load(); n != 0 || w.glass.scans != 0 {
			t.Errorf("the port was opened %d times, %d looks", n, w.glass.scans)
		}
	})
}
