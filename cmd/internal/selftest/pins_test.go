package selftest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"
	"periph.io/x/conn/v3/gpio/gpiotest"

	"github.com/tillprint/tillprint/device/panel"
	"github.com/tillprint/tillprint/sync/register"
)

// TestMain looks for the board's real pins once, outside the bubbles with a clock of their own.
func TestMain(m *testing.M) {
	panel.Find("none", "nothing", slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// plug puts a pin into the board for the length of a test.
func plug(t *testing.T, name string, number int) *gpiotest.Pin {
	t.Helper()
	p := &gpiotest.Pin{N: name, Num: number, EdgesChan: make(chan gpio.Level, 8)}
	if err := gpioreg.Register(p); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { gpioreg.Unregister(name) })
	return p
}

// toucher is a touch line that a daemon lends.
type toucher func(context.Context) error

func (f toucher) Wait(ctx context.Context) error { return f(ctx) }

// Beside a daemon that lends its touch line and its keys a person is asked for each step, and their answer counts.
func TestHandsBesideTheDaemon(t *testing.T) {
	works := func(context.Context) error { return nil }
	never := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	yes := func(context.Context, string) (bool, error) { return true, nil }
	no := func(context.Context, string) (bool, error) { return false, nil }
	gone := func(ctx context.Context, _ string) (bool, error) { <-ctx.Done(); return false, ctx.Err() }
	key, none := "5", ""
	for _, c := range []struct {
		name string
		line Toucher
		keys string // that are pressed
		saw  func(context.Context, string) (bool, error)
		want []string
	}{
		{"all works", toucher(works), key, yes, []string{"good Touch line", "good Ready light", "good Buzzer", "good Keypad"}},
		{"nothing comes", toucher(never), none, no, []string{"bad Touch line", "bad Ready light", "bad Buzzer", "bad Keypad"}},
		{"they have left", toucher(works), none, gone, []string{"good Touch line", "warn Ready light", "warn Buzzer", "bad Keypad"}},
		{"no touch line was lent", nil, none, gone, []string{"bad Touch line", "warn Ready light", "warn Buzzer", "bad Keypad"}},
		{"they cannot answer", toucher(works), none, nil, []string{"good Touch line", "good Ready light", "good Buzzer", "bad Keypad"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ready := plug(t, "LAMP", 9101)
				plug(t, "HORN", 9102)
				plug(t, "LINE", 9103)
				var asked, told []string
				keys := make(chan rune, 1)
				for _, r := range c.keys {
					keys <- r
				}
				p := Plan{Beside: true, Hands: true, Touch: "LINE", Line: c.line, Keys: keys, Saw: c.saw, Rows: []string{"x"},
					Lights: panel.Pins{Ready: "LAMP", Buzzer: "HORN"}, Dir: t.TempDir(),
					Say: func(format string, args ...any) {
						asked = append(asked, fmt.Sprintf(format, args...))
						if strings.HasPrefix(format, "Press") && ready.Read() == gpio.High {
							t.Error("the light was left on")
						}
					},
					Found: func(c register.Check) { told = append(told, c.Level+" "+c.Part) }}
				var all findings
				for _, check := range Run(t.Context(), p) {
					if slices.Contains([]string{"Touch line", "Ready light", "Buzzer", "Keypad"}, check.Part) {
						all = append(all, check)
					}
				}
				for i, want := range c.want {
					if got := all[i].Level + " " + all[i].Part; got != want || !slices.Contains(told, want) {
						t.Errorf("found %s: %q, told %q, want %s", got, all[i].Words, told, want)
					}
				}
				steps := []string{"Touch the sensor.", "Look at the ready light", "Listen", "Press any key"}
				if c.line == nil {
					steps = steps[1:]
				}
				for i, want := range steps {
					if i >= len(asked) || !strings.HasPrefix(asked[i], want) {
						t.Errorf("asked %q", asked)
					}
				}
			})
		})
	}
}

// Who is told of a finding is told of all, in order, and of none twice.
func TestFindingsAreToldAsTheyCome(t *testing.T) {
	var told []register.Check
	p := Plan{Dir: t.TempDir(), Found: func(c register.Check) { told = append(told, c) }}
	if all := Run(t.Context(), p); !slices.Equal(all, told) || len(all) == 0 {
		t.Errorf("found %v, told %v", all, told)
	}
}
