package till

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/pin"
)

// short makes a site of four-digit PINs.
func short(_ *Config, p *Parts) { p.PINDigits = func() int { return 4 } }

func withPIN(name, digits string, revision uint64) store.Person {
	return store.Person{Name: name, Form: "7B", PINIndex: pin.Index(pepper, []byte(digits)), PINVerifier: phc(digits), Revision: revision}
}

// C1: four digits open nothing until a name is claimed, and then only that name.
func TestFourDigitsNeedAName(t *testing.T) {
	inWorld(t, short, func(w *world) {
		cara, dan := w.admit(withPIN("Cara Lee", "4321", 1), consent.Erase), w.admit(withPIN("Dan Fox", "8765", 1), consent.Erase)
		w.must(w.till.Key(w.ctx, '4'))
		if v := w.want(Looking); !v.NameFirst || v.PINLength != 4 || !strings.Contains(v.Say, "name first") {
			t.Errorf("a digit without a name: %+v", v)
		}
		w.must(w.till.PIN(w.ctx, "4321"))
		w.want(Looking)
		w.must(w.till.Claim(w.ctx, cara))
		for _, k := range "4321" {
			w.must(w.till.Key(w.ctx, k))
		}
		if v := w.want(Proposed); v.Proposal.Subject != cara || v.Pupil.Name != "Cara L." {
			t.Errorf("proposed: %+v", v.Proposal)
		}
		w.must(w.till.Claim(w.ctx, dan))
		for _, k := range "4321" { // another's PIN
			w.must(w.till.Key(w.ctx, k))
		}
		w.want(TryAgain)
		w.must(w.till.Claim(w.ctx, w.ben)) // has none
		for _, k := range "4321" {
			w.must(w.till.Key(w.ctx, k))
		}
		w.want(TryAgain)
		w.must(w.till.Choose(w.ctx, w.ben))
		w.want(Proposed)
		if w.till.Claim(w.ctx, "nobody") == nil {
			t.Error("nonsense is a name")
		}
	})
}

// Ten wrong PINs in a row for one name end PINs for it at this till until a new one is drawn. The pupil eats all the same, and the office
// is told.
func TestOneNameCannotBeTriedForEver(t *testing.T) {
	inWorld(t, func(c *Config, p *Parts) { short(c, p) }, func(w *world) {
		cara := w.admit(withPIN("Cara Lee", "4321", 1), consent.Erase)
		try := func(digits string) {
			t.Helper()
			time.Sleep(longestRest)
			w.must(w.till.Claim(w.ctx, cara))
			for _, k := range digits {
				w.must(w.till.Key(w.ctx, k))
			}
			synctest.Wait()
		}
		for range mostOfOne {
			try("0000")
			w.want(TryAgain)
		}
		try("4321")
		if v := w.want(TryAgain); !strings.Contains(v.Say, "name and photo") {
			t.Errorf("after %d wrong PINs: %q", mostOfOne, v.Say)
		}
		w.must(w.till.Choose(w.ctx, cara))
		w.want(Proposed)
		again := withPIN("Cara Lee", "5678", 2)
		w.decide(cara, consent.Erase, &again)
		try("5678")
		w.want(Proposed)
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.alerts) == 0 || !strings.Contains(w.alerts[len(w.alerts)-1], "one name") || strings.Contains(strings.Join(w.alerts, ""), "Cara") {
			t.Errorf("the office was told %q", w.alerts)
		}
	})
}

// A till that is switched off and on again rests its PIN pad as though the last wrong PIN had come just now, whatever its clock says.
func TestThePINPadRestsThroughARestart(t *testing.T) {
	inWorld(t, func(_ *Config, p *Parts) { p.Settings = p.People.(*store.Store) }, func(w *world) {
		for range freeWrong + 4 {
			w.must(w.till.PIN(w.ctx, "000000"))
			w.want(TryAgain)
			time.Sleep(time.Second << 3)
		}
		restart := func() {
			w.run(func(_ *Config, p *Parts) { p.Settings = w.store })
			w.must(w.till.PIN(w.ctx, "493201"))
		}
		restart()
		if v := w.want(TryAgain); !strings.Contains(v.Say, "rests") || !v.Offer {
			t.Errorf("after a restart: %q", v.Say)
		}
		w.must(w.till.Choose(w.ctx, w.amina)) // nobody is locked out of lunch
		w.want(Proposed)
		time.Sleep(longestRest)
		w.must(w.till.PIN(w.ctx, "493201"))
		w.want(Proposed)
		w.must(w.store.SetSetting(settingThrottle, []byte(`{"level":-1e300}`)))
		restart()
		if v := w.want(TryAgain); !strings.Contains(v.Say, "rests") {
			t.Errorf("with a damaged note: %q", v.Say)
		}
	})
}

// A disk that does not take the note is shown, and stops nobody.
func TestAThrottleThatCannotBeKeptIsShown(t *testing.T) {
	inWorld(t, func(_ *Config, p *Parts) { p.Settings = lostSettings{} }, func(w *world) {
		w.must(w.till.PIN(w.ctx, "000000"))
		v := w.want(TryAgain)
		shown := false
		for _, l := range v.Health {
			shown = shown || l.Part == "Disk" && l.Level == Bad
		}
		if !shown {
			t.Errorf("the health bar says %+v", v.Health)
		}
	})
}

// lostSettings is a disk that takes nothing: a double for a fault.
type lostSettings struct{}

func (lostSettings) Setting(string) ([]byte, error)  { return nil, store.ErrNotFound }
func (lostSettings) SetSetting(string, []byte) error { return store.ErrInUse }
