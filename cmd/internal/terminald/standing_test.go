package terminald

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillprint/tillprint/cmd/internal/selftest"
	"github.com/tillprint/tillprint/deploy/update"
	"github.com/tillprint/tillprint/device/zfm/zfmsim"
	"github.com/tillprint/tillprint/till"
)

// onTrialCard is a card whose slot B runs on trial.
func onTrialCard(t *testing.T) update.Card {
	t.Helper()
	card := cardOfFiles(t)
	card.Running, card.Sequence = update.B, 11
	return card
}

// shows waits until the page's health bar has a lamp.
func shows(ctx context.Context, term *Terminal, holds func(till.Lamp) bool) {
	for v := range term.Till.Subscribe(ctx, 100) {
		for _, l := range v.Health {
			if holds(l) {
				return
			}
		}
	}
}

// A version on trial is committed by what its daemon serves: not while the store is closed, nor while it serves no PIN or
// has no sensor where the version before it had them.
func TestATrialIsCommittedByWhatItServes(t *testing.T) {
	t.Parallel() // it waits more than it works
	c, _, people := filled(t)
	port := filepath.Join(t.TempDir(), "sensor") // which stays when the sensor is plugged in again
	sim, err := zfmsim.New(zfmsim.Options{Link: port})
	must(t, err)
	defer sim.Close()
	go sim.Run(t.Context())
	c.Sensor.Port, c.Sensor.Password = port, Default().Sensor.Password
	card := onTrialCard(t)
	refused := func(want string) {
		t.Helper()
		done, err := Confirm(t.Context(), c, card)
		if done || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("committed %t, %v; want %q", done, err, want)
		}
		if trial, err := card.OnTrial(); err != nil || !trial {
			t.Errorf("on trial %t, %v", trial, err)
		}
	}
	run := func(trial bool, ready func(ctx context.Context, term *Terminal)) {
		t.Helper()
		ctx, stop := context.WithCancel(t.Context())
		hooks := Hooks{trial: func() bool { return trial }, card: func() (update.Card, error) { return card, nil }, Ready: func(term *Terminal) error {
			defer stop()
			for errors.Is(c.ask(ctx, "GET", "/standing", nil, new(Standing)), errNoDaemon) { // it listens in a moment
			}
			ready(ctx, term)
			return nil
		}}
		must(t, Run(ctx, c, slog.New(slog.DiscardHandler), hooks))
	}

	refused("the store is not open")
	run(true, func(ctx context.Context, term *Terminal) {
		must(t, c.writeStanding(Standing{Sensor: true}))
		term.noteStanding(term.log)
		if s, err := c.readStanding(); err != nil || s != (Standing{Sensor: true}) {
			t.Errorf("a version on trial has noted %+v, %v", s, err)
		}
	})
	must(t, os.Remove(c.standingPath()))
	run(false, func(ctx context.Context, term *Terminal) {
		fill(t, term, people)
		shows(ctx, term, func(l till.Lamp) bool { return l.Part == "Sensor" && strings.HasPrefix(l.Words, "ready") })
		term.noteStanding(term.log)
		if s, err := c.readStanding(); err != nil || s != (Standing{PINs: true, Sensor: true}) {
			t.Errorf("the committed version has noted %+v, %v", s, err)
		}
		term.noticed(t, "good", "), family r503 at 115200 baud")
	})
	run(true, func(ctx context.Context, term *Terminal) {
		shows(ctx, term, func(l till.Lamp) bool { return l.Part == "Sensor" && l.Level == till.Good })
		sim.Unplug()
		shows(ctx, term, func(l till.Lamp) bool { return l.Part == "Sensor" && l.Level == till.Bad })
		refused("the sensor is not ready")
		term.noticed(t, "bad", "")
		must(t, sim.Replug())
		shows(ctx, term, func(l till.Lamp) bool { return l.Part == "Sensor" && l.Level == till.Good })
		must(t, c.NoteTrial("", card.Sequence))
		if done, err := Confirm(t.Context(), c, card); !done || err != nil || c.tried(card.Sequence) != nil {
			t.Errorf("committed %t, %v; the attempt is kept: %v", done, err, c.tried(card.Sequence))
		}
	})
	if done, err := Confirm(t.Context(), c, card); done || err != nil {
		t.Errorf("committed twice: %t, %v", done, err)
	}
}

// What the version before did not serve is asked of nobody; without its word, the open store is enough.
func TestWhatAVersionLacks(t *testing.T) {
	all, pins := Standing{PINs: true, Sensor: true}, Standing{PINs: true}
	for _, c := range []struct {
		now, before Standing
		want        string
	}{
		{Standing{}, Standing{}, ""}, {all, Standing{}, ""}, {all, all, ""}, {pins, pins, ""}, {all, pins, ""},
		{Standing{}, pins, "nobody can be served by PIN"}, {Standing{Sensor: true}, all, "nobody can be served by PIN"}, {pins, all, "the sensor is not ready"},
	} {
		if got := c.now.lacks(c.before); (got == "") != (c.want == "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("%+v after %+v: %q, want %q", c.now, c.before, got, c.want)
		}
	}
}

// noticed has the daemon test itself and looks at what it says of the sensor, of which it has the lamp's word only.
func (t *Terminal) noticed(tt *testing.T, level, words string) {
	tt.Helper()
	s, err := t.selfTest(tt.Context(), t.updates.c)
	must(tt, err)
	for _, check := range s.Checks {
		if check.Part == "Sensor" && (check.Level != level || !strings.Contains(check.Words, words)) {
			tt.Errorf("%s Sensor: %s; want %s, %q", check.Level, check.Words, level, words)
		}
	}
	if got, _ := selftest.Summary(s.Checks); level == "bad" && got != level {
		tt.Errorf("the self-test says %s", got)
	}
}

// While only cash is taken, as where a version on trial finds no key, nothing is committed.
func TestCashIsNotEnoughToBeCommitted(t *testing.T) {
	d := newDevice(t, "file").placed()
	must(t, os.Remove(d.c.slotPath()))
	d.c.Page.Listen, d.c.Sensor.Port = "127.0.0.1:0", ""
	ctx, stop := context.WithCancel(t.Context())
	serving := Hooks{trial: func() bool { return true }, Serving: func() {
		defer stop()
		if done, err := Confirm(ctx, d.c, onTrialCard(t)); done || err == nil || !strings.Contains(err.Error(), "cash is taken at most") {
			t.Errorf("committed %t, %v", done, err)
		}
	}}
	must(t, Run(ctx, d.c, slog.New(slog.DiscardHandler), serving))
}
