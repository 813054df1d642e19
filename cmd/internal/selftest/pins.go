package selftest

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/tillprint/tillprint/device/keypad"
	"github.com/tillprint/tillprint/device/panel"
)

// An eye needs a moment to see a light flash; somebody who is to look for it needs longer.
const (
	flash = 300 * time.Millisecond
	shine = 2 * time.Second
)

func (p Plan) touch(ctx context.Context, f *findings) {
	if p.Touch == "" {
		return
	}
	said := new(lines)
	line := p.Line
	there := line != nil
	switch {
	case p.Beside && !p.Hands:
		there = panel.Find(p.Touch, "touch line", slog.New(said)) != nil
	case !p.Beside:
		t := panel.OpenTouch(p.Touch, p.Polarity, slog.New(said))
		line, there = t, t != nil
	case !there && panel.Find(p.Touch, "touch line", slog.New(said)) != nil:
		slog.New(said).Warn("it cannot be watched")
	}
	switch {
	case !there:
		f.bad("Touch line", "%s: %s; the sensor is polled instead", p.Touch, said)
	case !p.Hands:
		f.good("Touch line", "%s is there; whether it moves shows when a finger comes", p.Touch)
	default:
		p.Say("Touch the sensor.")
		ctx, cancel := context.WithTimeout(ctx, handTime)
		defer cancel()
		if err := line.Wait(ctx); err != nil {
			f.bad("Touch line", "%s did not move: check its wire, and touch.active_low", p.Touch)
			return
		}
		f.good("Touch line", "%s follows the finger", p.Touch)
	}
}

// output is a light or the buzzer, and what a person does to notice it.
type output struct{ part, pin, notice, question string }

// lights switches each output on for a moment. Whether it shone, only a person can tell.
func (p Plan) lights(ctx context.Context, f *findings) {
	for _, out := range []output{
		{"Ready light", p.Lights.Ready, "Look at the ready light (green): it goes on for two seconds.", "Did the ready light shine?"},
		{"Busy light", p.Lights.Busy, "Look at the busy light (yellow): it goes on for two seconds.", "Did the busy light shine?"},
		{"Buzzer", p.Lights.Buzzer, "Listen: the buzzer sounds for two seconds.", "Did the buzzer sound?"},
	} {
		if out.pin != "" {
			p.light(ctx, f, out)
		}
	}
}

func (p Plan) light(ctx context.Context, f *findings, out output) {
	said := new(lines)
	line := panel.Find(out.pin, out.part, slog.New(said))
	if line == nil {
		f.bad(out.part, "%s: %s", out.pin, said)
		return
	}
	long := flash
	if p.Hands {
		p.Say("%s", out.notice)
		long = shine
	}
	if err := line.Set(true); err != nil {
		f.bad(out.part, "%s cannot be switched: %v", out.pin, err)
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(long):
	}
	if err := line.Set(false); err != nil {
		f.bad(out.part, "%s cannot be switched off: %v", out.pin, err)
		return
	}
	if !p.Hands || p.Saw == nil {
		f.good(out.part, "%s was switched on and off", out.pin)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, handTime)
	defer cancel()
	switch saw, err := p.Saw(ctx, out.question); {
	case err != nil:
		f.warn(out.part, "%s was switched on and off; nobody said whether it worked", out.pin)
	case !saw:
		f.bad(out.part, "%s was switched on and off, and nothing came of it: check its wire and its way round", out.pin)
	default:
		f.good(out.part, "%s works", out.pin)
	}
}

func (p Plan) keypad(ctx context.Context, f *findings) {
	if len(p.Rows) == 0 {
		return
	}
	said := new(lines)
	if p.Beside && (!p.Hands || p.Keys == nil) {
		for _, name := range slices.Concat(p.Rows, p.Columns) {
			if panel.Find(name, "keypad", slog.New(said)) == nil {
				f.bad("Keypad", "%s: %s; PINs are keyed by staff", name, said)
				return
			}
		}
		f.good("Keypad", "its pins are there; whether its keys work shows when one is pressed")
		return
	}
	keys := p.Keys
	ctx, cancel := context.WithTimeout(ctx, handTime)
	defer cancel()
	if keys == nil {
		k := keypad.Open(p.Rows, p.Columns, slog.New(said))
		if k == nil {
			f.bad("Keypad", "%s; PINs are keyed by staff", said)
			return
		}
		if p.Hands {
			go k.Run(ctx)
		}
		keys = k.Keys()
	}
	if !p.Hands {
		f.good("Keypad", "its pins are there; whether its keys work shows when one is pressed")
		return
	}
	p.Say("Press any key of the keypad.")
	select {
	case <-keys:
		f.good("Keypad", "a key was read")
	case <-ctx.Done():
		f.bad("Keypad", "no key came: check its wires")
	}
}
