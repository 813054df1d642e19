// Package selftest tries a terminal's parts and says in plain words what it found: the sensor and its rate, touch line,
// lights, buzzer, keypad, clock, card. It names nobody; with Hands it takes one image, of the technician's own finger, of
// which nothing but a quality is kept.
package selftest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tillprint/tillprint/device/keypad"
	"github.com/tillprint/tillprint/device/panel"
	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/sync/register"
)

// Plan is what to try, in the words of the configuration. What is not named is not missed.
type Plan struct {
	Port      string // of the sensor; "" for a terminal without one
	Sensor    zfm.Options
	Busy      string // why the sensor cannot be tried now; "" if it can
	Quality   uint8  // least quality of an image that can be enrolled
	Touch     string
	Polarity  panel.Polarity
	Lights    panel.Pins
	Rows      []string // of the keypad
	Columns   []string
	Dir       string      // on the card that is tried
	Confirmed func() bool // the hub has told the time since the start

	// Beside is whether a daemon drives the pins meanwhile: those of touch line and keypad are looked for, not opened.
	Beside bool
	// Hands is whether somebody stands there who lays a finger on, presses a key and watches the lights. Say tells them what to do.
	Hands bool
	Say   func(format string, args ...any)
}

// handTime is how long a person may take over each thing that they are asked for.
const handTime = 20 * time.Second

// Run tries one part after the other. It takes some seconds, and with Hands as long as a person takes.
func Run(ctx context.Context, p Plan) []register.Check {
	var all findings
	p.sensor(ctx, &all)
	p.touch(ctx, &all)
	p.lights(ctx, &all)
	p.keypad(ctx, &all)
	p.clock(&all, os.DirFS("/sys"), time.Now())
	p.card(&all)
	return all
}

// findings grow by one for each thing that was tried.
type findings []register.Check

func (f *findings) good(part, format string, args ...any) { f.add(part, "good", format, args...) }
func (f *findings) warn(part, format string, args ...any) { f.add(part, "warn", format, args...) }
func (f *findings) bad(part, format string, args ...any)  { f.add(part, "bad", format, args...) }

func (f *findings) add(part, level, format string, args ...any) {
	*f = append(*f, register.Check{Part: part, Level: level, Words: fmt.Sprintf(format, args...)})
}

// Summary is the worst level, and in words which parts are not good.
func Summary(all []register.Check) (level, words string) {
	var parts []string
	level = "good"
	for _, c := range all {
		if c.Level == "good" {
			continue
		}
		parts = append(parts, c.Part)
		if level != "bad" {
			level = c.Level
		}
	}
	if len(parts) == 0 {
		return level, "all good"
	}
	return level, "look at: " + strings.Join(parts, ", ")
}

// Print writes what was found for people.
func Print(w io.Writer, all []register.Check) {
	for _, c := range all {
		fmt.Fprintf(w, "%-5s %-10s %s\n", c.Level, c.Part, c.Words)
	}
}

func (p Plan) touch(ctx context.Context, f *findings) {
	if p.Touch == "" {
		return
	}
	said := new(lines)
	if p.Beside {
		if panel.Find(p.Touch, "touch line", slog.New(said)) == nil {
			f.bad("Touch line", "%s: %s; the sensor is polled instead", p.Touch, said)
			return
		}
		f.good("Touch line", "%s is there; whether it moves shows when a finger comes", p.Touch)
		return
	}
	t := panel.OpenTouch(p.Touch, p.Polarity, slog.New(said))
	switch {
	case t == nil:
		f.bad("Touch line", "%s: %s; the sensor is polled instead", p.Touch, said)
	case !p.Hands:
		f.good("Touch line", "%s is there; whether it moves shows when a finger comes", p.Touch)
	default:
		p.Say("Touch the sensor.")
		ctx, cancel := context.WithTimeout(ctx, handTime)
		defer cancel()
		if err := t.Wait(ctx); err != nil {
			f.bad("Touch line", "%s did not move: check its wire, and touch.active_low", p.Touch)
			return
		}
		f.good("Touch line", "%s follows the finger", p.Touch)
	}
}

// lights switches each output on for a moment. Whether it shone, only a person can tell.
func (p Plan) lights(ctx context.Context, f *findings) {
	for _, out := range []struct{ part, pin string }{{"Ready light", p.Lights.Ready}, {"Busy light", p.Lights.Busy}, {"Buzzer", p.Lights.Buzzer}} {
		if out.pin == "" {
			continue
		}
		said := new(lines)
		line := panel.Find(out.pin, out.part, slog.New(said))
		if line == nil {
			f.bad(out.part, "%s: %s", out.pin, said)
			continue
		}
		if err := line.Set(true); err != nil {
			f.bad(out.part, "%s cannot be switched: %v", out.pin, err)
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(300 * time.Millisecond): // as short as an eye needs
		}
		if err := line.Set(false); err != nil {
			f.bad(out.part, "%s cannot be switched off: %v", out.pin, err)
			continue
		}
		f.good(out.part, "%s was switched on and off", out.pin)
	}
}

func (p Plan) keypad(ctx context.Context, f *findings) {
	if len(p.Rows) == 0 {
		return
	}
	said := new(lines)
	if p.Beside {
		for _, name := range slices.Concat(p.Rows, p.Columns) {
			if panel.Find(name, "keypad", slog.New(said)) == nil {
				f.bad("Keypad", "%s: %s; PINs are keyed by staff", name, said)
				return
			}
		}
		f.good("Keypad", "its pins are there; whether its keys work shows when one is pressed")
		return
	}
	k := keypad.Open(p.Rows, p.Columns, slog.New(said))
	switch {
	case k == nil:
		f.bad("Keypad", "%s; PINs are keyed by staff", said)
	case !p.Hands:
		f.good("Keypad", "its pins are there; whether its keys work shows when one is pressed")
	default:
		p.Say("Press any key of the keypad.")
		ctx, cancel := context.WithTimeout(ctx, handTime)
		defer cancel()
		go k.Run(ctx)
		select {
		case <-k.Keys():
			f.good("Keypad", "a key was read")
		case <-ctx.Done():
			f.bad("Keypad", "no key came: check its wires")
		}
	}
}

// lines is a log whose messages are kept as words for a finding.
type lines struct{ said []string }

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }
func (l *lines) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *lines) WithGroup(string) slog.Handler            { return l }

func (l *lines) Handle(_ context.Context, r slog.Record) error {
	l.said = append(l.said, r.Message)
	return nil
}

func (l *lines) String() string { return strings.Join(l.said, "; ") }
