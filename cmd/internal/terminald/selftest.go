package terminald

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/tillprint/tillprint/cmd/internal/machine"
	"github.com/tillprint/tillprint/cmd/internal/selftest"
	"github.com/tillprint/tillprint/device/panel"
	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/sync/register"
	"github.com/tillprint/tillprint/till"
)

// settingSelfTest keeps the last self-test in the store. A terminal that has none makes one at its start.
const settingSelfTest = "terminald.selftest"

// SelfTest is what the parts of a terminal were found to be.
type SelfTest struct {
	At     time.Time        `json:"at"` // by the terminal's clock
	Checks []register.Check `json:"checks"`
}

// Sound reports whether nothing is bad.
func (s *SelfTest) Sound() bool { level, _ := selftest.Summary(s.Checks); return level != "bad" }

// Print writes it for people.
func (s *SelfTest) Print(w io.Writer) { selftest.Print(w, s.Checks) }

func readSelfTest(st *store.Store) (*SelfTest, error) {
	b, err := st.Setting(settingSelfTest)
	if err != nil {
		return nil, err
	}
	s := new(SelfTest)
	return s, json.Unmarshal(b, s)
}

// plan is what the configuration names.
func (c Config) plan(st *store.Store) selftest.Plan {
	p := selftest.Plan{
		Port: c.Sensor.Port, Sensor: c.module(), Quality: c.Serving.Quality, Touch: c.Touch.Pin,
		Lights: panel.Pins{Ready: c.Panel.Ready, Busy: c.Panel.Busy, Buzzer: c.Panel.Buzzer},
		Rows:   c.Keypad.Rows, Columns: c.Keypad.Columns, Dir: c.Store.Dir, Confirmed: st.Clock().Trusted,
	}
	if c.Touch.ActiveLow {
		p.Polarity = panel.ActiveLow
	}
	return p
}

// module is how the sensor is opened.
func (c Config) module() zfm.Options {
	return zfm.Options{Family: c.Sensor.Family, Baud: c.Sensor.Baud, Width: c.Sensor.Width, Height: c.Sensor.Height, Password: c.Sensor.Password}
}

// testAll runs a plan, looks at the key slot, and keeps the result.
func (c Config) testAll(ctx context.Context, st *store.Store, p selftest.Plan) (*SelfTest, error) {
	s := &SelfTest{Checks: selftest.Run(ctx, p), At: st.Now().UTC()}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	slot := register.Check{Part: "Key slot", Level: "good"}
	if k, err := ReadKeyslot(c); err != nil {
		slot.Level, slot.Words = "bad", fmt.Sprintf("%s: %v", k.Kind, err)
	} else {
		slot.Words = fmt.Sprintf("%s: %s", k.Kind, k.Health)
	}
	s.Checks = append(s.Checks, slot)
	if p.Found != nil {
		p.Found(slot)
	}
	for i := range s.Checks {
		s.Checks[i].Words = strings.ToValidUTF8(s.Checks[i].Words[:min(len(s.Checks[i].Words), 500)], "")
	}
	b, err := json.Marshal(s)
	if err == nil {
		err = st.SetSetting(settingSelfTest, b)
	}
	if err != nil {
		return nil, fmt.Errorf("keeping the self-test: %w", err)
	}
	return s, nil
}

// firstSelfTest tries the parts once, beside serving: a terminal takes cash meanwhile, as it does anyway until it is commissioned.
func (t *Terminal) firstSelfTest(ctx context.Context, c Config) error {
	s, err := readSelfTest(t.Store)
	if errors.Is(err, store.ErrNotFound) {
		s, err = t.selfTest(ctx, c)
	}
	if err != nil && ctx.Err() == nil {
		t.log.Error("the self-test failed", "err", err)
	}
	if err == nil {
		t.tested.Store(s)
		t.Hub.Wake()
	}
	return nil
}

// selfTest tries the parts while the daemon works with them.
func (t *Terminal) selfTest(ctx context.Context, c Config) (*SelfTest, error) {
	return t.testBeside(ctx, c, c.plan(t.Store))
}

// testBeside runs a plan so. The sensor is tried only where the till does not hold it.
func (t *Terminal) testBeside(ctx context.Context, c Config, p selftest.Plan) (*SelfTest, error) {
	p.Beside = true
	if t.Custody.Biometrics() {
		if l := t.sensorLamp(); l.Level == till.Good {
			p.Busy = l.Words + t.presses.describe()
		} else {
			p.Away = l.Words
		}
	}
	return t.testAndTell(ctx, c, p)
}

// testAndTell runs a plan, tells the hub, and puts the lights back.
func (t *Terminal) testAndTell(ctx context.Context, c Config, p selftest.Plan) (*SelfTest, error) {
	t.testing.Lock()
	defer t.testing.Unlock()
	s, err := c.testAll(ctx, t.Store, p)
	t.signal(t.Till.View().Pupil.Display)
	if err != nil {
		return nil, err
	}
	t.tested.Store(s)
	level, words := selftest.Summary(s.Checks)
	t.log.Info("self-test", "level", level, "result", words)
	t.Hub.Wake()
	return s, nil
}

// about tells the hub what only the daemon knows.
func (t *Terminal) about(s *register.Status) {
	if last := t.tested.Load(); last != nil {
		s.SelfTest, s.Tested = last.Checks, last.At
	}
	if u := t.updates.state.Load(); u != nil {
		s.Update = *u
	}
	s.Board = machine.Model(os.DirFS("/sys"))
}

// testLamp is the self-test in the health bar.
func (t *Terminal) testLamp() till.Lamp {
	last := t.tested.Load()
	if last == nil {
		return till.Lamp{Part: "Self-test", Words: "under way", Level: till.Good}
	}
	level, words := selftest.Summary(last.Checks)
	return till.Lamp{Part: "Self-test", Words: words, Level: map[string]till.Level{"warn": till.Warn, "bad": till.Warn}[level]}
}

// RunSelfTest tries the parts of the terminal of a configuration: through its daemon where one runs, else by itself. hands
// needs the daemon stopped, which say then tells a person what to do.
func RunSelfTest(ctx context.Context, c Config, hands bool, say func(format string, args ...any)) (*SelfTest, error) {
	s := new(SelfTest)
	if !hands {
		if err := c.ask(ctx, http.MethodPost, "/selftest", nil, s); !errors.Is(err, errNoDaemon) {
			return s, err
		}
	}
	st, err := openStore(c, slog.New(slog.DiscardHandler), store.Options{Command: "selftest"})
	if hands && errors.Is(err, store.ErrInUse) {
		return nil, errors.New("the daemon works with the parts: 'sudo systemctl stop tillprintd' first, or leave --hands out")
	}
	if err != nil {
		return nil, err
	}
	defer st.Close()
	p := c.plan(st)
	p.Hands, p.Say = hands, say
	return c.testAll(ctx, st, p)
}
