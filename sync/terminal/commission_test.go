package terminal

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/custody"
	"github.com/tillprint/tillprint/sync/hub/hubtest"
	"github.com/tillprint/tillprint/sync/register"
)

// A terminal starts in mode off: it holds nobody's record and takes no template. Commissioning moves it to PINs, then to
// fingers; the others share their fingers with it only then. A step back wipes.
func TestN1ATerminalStartsOff(t *testing.T) {
	s := newSchool(t)
	pupil := s.pupils(2)[0]
	hall := s.join("hall").run()
	hall.await("hall is current", hall.current)
	hall.enrol(pupil.Subject, 1, time.Now())

	yard := s.justJoin("yard", func(*till) {})
	yard.run()
	yard.await("the register is applied", func() bool { st := yard.client.State(); return st.Applied > 0 && st.Applied == st.Head })
	if on, why := yard.client.Fingers(); on || yard.client.Mode() != register.ModeOff || why == "" || yard.custody.Biometrics() {
		t.Errorf("a terminal that nobody has commissioned: fingers %v, mode %s, %q", on, yard.client.Mode(), why)
	}
	if n, err := yard.st.Inventory(); err != nil || n.Pupils != 0 {
		t.Errorf("in mode off it holds %d people, %v", n.Pupils, err)
	}
	step := func(mode register.Mode) {
		t.Helper()
		c := register.Commission{Mode: mode, References: hubtest.References(mode, version)}
		if err := s.hub.Commission(t.Context(), siteID, "office", "yard", c); err != nil {
			t.Fatal(err)
		}
		yard.await("mode "+string(mode), func() bool { return yard.client.Mode() == mode && yard.current() })
	}
	step(register.ModePIN)
	if n, err := yard.st.Inventory(); err != nil || n.Pupils != 2 || n.PINs != 2 || n.Templates != 0 {
		t.Errorf("for PINs it holds %+v, %v", n, err)
	}
	if err := yard.custody.Enrol(t.Context(), []store.TemplateRecord{{Subject: pupil.Subject, Finger: 2}}); !errors.Is(err, custody.ErrOff) {
		t.Errorf("it takes templates: %v", err)
	}
	if n := s.waiting(t, "yard"); n != 0 {
		t.Errorf("%d templates wait for a terminal that may not have them", n)
	}
	step(register.ModeFingers)
	yard.await("hall's finger", func() bool { return yard.has(pupil.Subject) })
	yard.restart()
	if on, why := yard.client.Fingers(); !on || !yard.has(pupil.Subject) {
		t.Errorf("after a restart fingers are off: %s", why)
	}
	yard.run()
	step(register.ModePIN)
	if n, err := yard.st.TemplateCount(); err != nil || len(n) != 0 || yard.has(pupil.Subject) {
		t.Errorf("after the step back it holds templates of %d people, %v", len(n), err)
	}
	if !hall.has(pupil.Subject) {
		t.Error("the step back has touched another terminal")
	}
}

// What the card says about its mode counts only with its references.
func TestN1AnAlteredModeIsOff(t *testing.T) {
	s := newSchool(t)
	hall := s.join("hall").run()
	hall.await("current", hall.current)
	hall.stopAll()
	for _, text := range []string{`{"mode":"fingers"}`, `{`, ``} {
		hall.open()
		if err := hall.st.SetSetting(settingCommission, []byte(text)); err != nil {
			t.Fatal(err)
		}
		hall.stopAll()
		hall.open()
		if on, _ := hall.client.Fingers(); on || hall.client.Mode() != register.ModeOff {
			t.Errorf("%q: mode %s", text, hall.client.Mode())
		}
		hall.stopAll()
	}
}

// A version on trial that cannot read the mode is off, and leaves the templates to the version that can.
func TestN1AVersionOnTrialWipesNothingOverAMode(t *testing.T) {
	s := newSchool(t)
	pupil := s.pupils(1)[0]
	hall := s.join("hall").run()
	hall.await("current", hall.current)
	hall.enrol(pupil.Subject, 1, time.Now())
	held := func(want int) {
		t.Helper()
		if n, err := hall.st.TemplateCount(); err != nil || len(n) != want {
			t.Errorf("it holds templates of %d people, %v, want %d", len(n), err, want)
		}
	}
	hall.stop()
	if err := hall.st.SetSetting(settingCommission, []byte(`{`)); err != nil {
		t.Fatal(err)
	}
	c := Config{Store: hall.st, Custody: hall.custody, Log: slog.New(slog.DiscardHandler), Untried: true}
	client, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if on, _ := client.Fingers(); on || client.Mode() != register.ModeOff {
		t.Errorf("mode %s", client.Mode())
	}
	held(1)
	c.Untried = false // control
	if _, err := New(c); err != nil {
		t.Fatal(err)
	}
	held(0)
}
