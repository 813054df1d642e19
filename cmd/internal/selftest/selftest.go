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
	"strings"
	"time"

	"github.com/tillprint/tillprint/device/panel"
	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/sync/register"
)

// Plan is what to try, in the words of the configuration. What is not named is not missed.
type Plan struct {
	Port      string // of the sensor; "" for a terminal without one
	Sensor    zfm.Options
	Busy      string // what the till says of a sensor that it works with, and which is not tried for that; "" if it can be
	Away      string // what the till says of a sensor that it looks for itself and cannot work with
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
	// Saw asks them whether they have seen or heard something; nil where they cannot answer.
	Saw func(ctx context.Context, question string) (bool, error)
	// Line and Keys are what the daemon beside has lent: its touch line and what its keypad reads. With Hands only.
	Line Toucher
	Keys <-chan rune
	// Found hears of each finding as soon as it is there; may be nil.
	Found func(register.Check)
}

// Toucher waits for a finger; *panel.Touch is one.
type Toucher interface {
	Wait(ctx context.Context) error
}

// handTime is how long a person may take over each thing that they are asked for.
const handTime = 20 * time.Second

// Run tries one part after the other. It takes some seconds, and with Hands as long as a person takes.
func Run(ctx context.Context, p Plan) []register.Check {
	var all findings
	for _, try := range []func(){
		func() { p.sensor(ctx, &all) },
		func() { p.touch(ctx, &all) },
		func() { p.lights(ctx, &all) },
		func() { p.keypad(ctx, &all) },
		func() { p.clock(&all, os.DirFS("/sys"), time.Now()) },
		func() { p.card(&all) },
	} {
		before := len(all)
		try()
		for _, c := range all[before:] {
			if p.Found != nil {
				p.Found(c)
			}
		}
	}
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
