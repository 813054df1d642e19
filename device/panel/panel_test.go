package panel

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"
	"periph.io/x/conn/v3/gpio/gpiotest"
)

// TestMain looks for the board's real pins once, outside the bubbles with a clock of their own.
func TestMain(m *testing.M) {
	initHost()
	os.Exit(m.Run())
}

// plug puts a fake pin into the board for the length of a test.
func plug(t *testing.T, name string, number int) *gpiotest.Pin {
	t.Helper()
	p := &gpiotest.Pin{N: name, Num: number, EdgesChan: make(chan gpio.Level, 64)}
	if err := gpioreg.Register(p); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { gpioreg.Unregister(name) })
	return p
}

func logTo(b *bytes.Buffer) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// What each cue does to the lights and the buzzer, and for how long.
func TestCues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ready, busy, buzzer := plug(t, "READY", 9001), plug(t, "BUSY", 9002), plug(t, "BUZZER", 9003)
		var log bytes.Buffer
		p := Open(Pins{Ready: "READY", Busy: "!BUSY", Buzzer: "BUZZER"}, logTo(&log))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			p.Run(ctx)
		}()
		shows := func(when string, wantReady, wantBusy, wantBuzzer bool) {
			t.Helper()
			synctest.Wait()
			if bool(ready.Read()) != wantReady || bool(busy.Read()) == wantBusy || bool(buzzer.Read()) != wantBuzzer {
				t.Errorf("%s: ready %v, busy (inverted) %v, buzzer %v", when, ready.Read(), busy.Read(), buzzer.Read())
			}
		}
		shows("at first", false, false, false)
		p.Show(Ready)
		shows("ready", true, false, false)
		p.Show(Busy)
		shows("busy", false, true, false)
		p.Show(Served)
		shows("served", true, false, true)
		p.Show(Ready)
		shows("the next one comes while it sounds", true, false, true)
		time.Sleep(tone)
		shows("after the tone", true, false, false)
		p.Show(Busy)
		p.Show(Served)
		cancel()
		<-ended
		shows("switched off", false, false, false)
		if log.Len() != 0 {
			t.Errorf("logged %s", log.String())
		}
	})
}

// C5: whatever route ends at the till, the pupil hears the same or nothing; there is no cue for a refusal.
func TestOneSound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		buzzer := plug(t, "ONLYBUZZER", 9004)
		p := Open(Pins{Buzzer: "ONLYBUZZER"}, slog.New(slog.DiscardHandler))
		go p.Run(t.Context())
		for c := range Served + 10 {
			p.Show(c)
			synctest.Wait()
			if sounds := bool(buzzer.Read()); sounds != (c == Served) {
				t.Errorf("cue %d sounds: %t", c, sounds)
			}
			time.Sleep(tone)
			synctest.Wait()
			if buzzer.Read() {
				t.Errorf("cue %d sounds longer than the others", c)
			}
		}
	})
}

// Show never waits, and the last cue is what is shown.
func TestShowWithoutRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := plug(t, "LATE", 9005)
		p := Open(Pins{Busy: "LATE"}, slog.New(slog.DiscardHandler))
		for range 1000 {
			p.Show(Ready)
		}
		p.Show(Busy)
		go p.Run(t.Context())
		synctest.Wait()
		if !busy.Read() {
			t.Error("the last cue was lost")
		}
	})
}

// A pin that is not named is not missed; one that is absent costs one line each, and everything still works.
func TestAbsentPins(t *testing.T) {
	var log bytes.Buffer
	p := Open(Pins{Ready: "GPIO9999", Buzzer: "!GPIO9998"}, logTo(&log))
	if lines := strings.Count(log.String(), "\n"); lines != 2 || !strings.Contains(log.String(), "GPIO9998") || !strings.Contains(log.String(), "buzzer") {
		t.Errorf("logged:\n%s", log.String())
	}
	log.Reset()
	p.Show(Served)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Run(ctx); err != nil {
		t.Error(err)
	}
	if touch := OpenTouch("GPIO9997", ActiveLow, logTo(&log)); touch != nil || strings.Count(log.String(), "\n") != 1 {
		t.Errorf("a touch line that is not there: %v, logged:\n%s", touch, log.String())
	}
	if log.Reset(); OpenTouch("", ActiveLow, logTo(&log)) != nil || log.Len() != 0 {
		t.Errorf("a touch line that nobody named logged:\n%s", log.String())
	}
}

// deaf is a pin that cannot report edges.
type deaf struct{ gpiotest.Pin }

func (d *deaf) In(gpio.Pull, gpio.Edge) error { return errors.New("no edges here") }

// A pin that cannot be watched is as good as absent.
func TestTouchWithoutEdges(t *testing.T) {
	d := &deaf{gpiotest.Pin{N: "DEAF", Num: 9006}}
	if err := gpioreg.Register(d); err != nil {
		t.Fatal(err)
	}
	defer gpioreg.Unregister("DEAF")
	var log bytes.Buffer
	if touch := OpenTouch("DEAF", ActiveHigh, logTo(&log)); touch != nil || !strings.Contains(log.String(), "will be polled") {
		t.Errorf("%v, logged:\n%s", touch, log.String())
	}
}

// Both polarities; chatter; a finger that stays; one that came and went between two waits.
func TestTouch(t *testing.T) {
	for name, polarity := range map[string]Polarity{"low": ActiveLow, "high": ActiveHigh} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pin := plug(t, "TOUCH", 9007)
				touch := OpenTouch("TOUCH", polarity, slog.New(slog.DiscardHandler))
				on, off := gpio.Level(polarity == ActiveHigh), gpio.Level(polarity != ActiveHigh)
				reported := 0
				ctx, cancel := context.WithCancel(t.Context())
				go func() {
					for touch.Wait(ctx) == nil {
						reported++
					}
				}()
				wants := func(when string, want int) {
					t.Helper()
					time.Sleep(2 * edgeWait)
					synctest.Wait()
					if reported != want {
						t.Errorf("%s: %d touches reported, want %d", when, reported, want)
					}
				}
				edges := func(levels ...gpio.Level) {
					for _, l := range levels {
						pin.EdgesChan <- l
						time.Sleep(steady / 10)
					}
				}
				wants("untouched", 0)
				edges(on)
				wants("touched", 1)
				wants("held", 1)
				edges(off, on, off, on, off, on)
				wants("chatter while held", 1)
				edges(off)
				wants("lifted", 1)
				edges(on, off)
				wants("a spark", 1)
				edges(on, off, on, off, on)
				wants("touched with chatter", 2)
				edges(off)
				wants("lifted again", 2)
				cancel()
				wants("cancelled", 2)
				edges(on)
				ctx = t.Context()
				if err := touch.Wait(ctx); err != nil {
					t.Error(err)
				}
				edges(off, on)
				if err := touch.Wait(ctx); err != nil { // would wait for ever if it took this for the same touch
					t.Error(err)
				}
			})
		})
	}
}

// A waiting goroutine ends soon after its context.
func TestTouchCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plug(t, "CANCEL", 9008)
		touch := OpenTouch("CANCEL", ActiveHigh, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := touch.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > time.Second+2*edgeWait {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}
