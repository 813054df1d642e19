package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/tillprint/tillprint/cmd/internal/terminald"
	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/device/zfm/zfmsim"
	"github.com/tillprint/tillprint/matcher/sample"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/till"
)

// A terminal is one of the demo's tills: a daemon of its own with a store of
// its own, and a simulated module at the other end of its serial line.
type terminal struct {
	name    string
	dir     string // its store, its configuration, its watch
	base    string // path of its page
	address string // of its page, host:port
	outlet  string // where a point of sale listens to it, host:port
	sim     *zfmsim.Sim
	process *process
	watcher *watcher
}

// configure writes the daemon's configuration file.
func (t *terminal) configure(o Options) error {
	c := terminald.Default()
	c.Store.Dir, c.Keyslot.Kind = filepath.Join(t.dir, "store"), keyslot.KindFile // this machine's TPM is not ours
	c.Sensor.Port = t.sim.Path()
	c.Page.Listen, c.Page.Base = t.address, t.base
	c.Outlet.Listen, c.Outlet.TokenFile = t.outlet, filepath.Join(t.dir, "outlet.token")
	if err := os.WriteFile(c.Outlet.TokenFile, []byte(outletToken+"\n"), 0o600); err != nil {
		return fmt.Errorf("configuring terminal %s: %w", t.name, err)
	}
	c.Serving.Fingers = []uint8{2}
	c.Serving.Quality, c.Serving.Unlike = 1, 1 // what the folder's images are worth is measured, not chosen
	if !o.Script {
		if err := c.Touch.Trigger.UnmarshalText([]byte("poll")); err != nil {
			return err
		}
	}
	text, err := toml.Marshal(c)
	if err != nil {
		return fmt.Errorf("configuring terminal %s: %w", t.name, err)
	}
	return os.WriteFile(t.configPath(), text, 0o600)
}

func (t *terminal) configPath() string { return filepath.Join(t.dir, "tillprintd.toml") }
func (t *terminal) watchPath() string  { return filepath.Join(t.dir, "watch") }

// join makes the terminal's store with a code from the hub.
func (t *terminal) join(ctx context.Context, code string) error {
	c, err := terminald.Load(t.configPath())
	if err != nil {
		return err
	}
	_, err = terminald.Join(ctx, c, code, t.name)
	return err
}

// start runs the daemon; stopAt, if not empty, makes it stop dead at that step
// of the next wipe, for somebody to pull the plug.
func (t *terminal) start(ctx context.Context, stopAt string, each func(News)) (err error) {
	if err := os.Remove(t.watchPath()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	t.process = &process{name: "terminal-" + t.name, dir: t.dir,
		args: []string{"demo-terminal", "--config", t.configPath(), "--watch", t.watchPath(), "--stop-at", stopAt}}
	if err := t.process.start(ctx); err != nil {
		return err
	}
	t.watcher, err = watch(ctx, t.watchPath(), each)
	return err
}

// fingersOn waits until the till looks for fingers: its sensor answers and the
// hub was in contact.
func (t *terminal) fingersOn(ctx context.Context) error {
	_, err := t.watcher.until(ctx, "fingers to be on", func(v till.View) bool {
		return slices.Contains(v.Health, till.Lamp{Part: "Fingers", Words: "on", Level: till.Good})
	})
	return err
}

// press lays a finger on this terminal's glass: the part of the image that the
// sensor would see.
func (t *terminal) press(finger *sample.Sample) error {
	seen := t.sim.Sensor().Press(finger)
	defer seen.Clear()
	return t.sim.Press(seen)
}

// lift takes the finger away and waits until the till has looked at the empty
// glass, as a person waits for the light. The till must be asking for a press.
func (t *terminal) lift(ctx context.Context) error {
	t.sim.Lift()
	for len(t.sim.Events()) > 0 {
		<-t.sim.Events() // of looks before the glass was empty
	}
	for {
		select {
		case e := <-t.sim.Events():
			if e.Kind == zfmsim.Commanded && (e.Instruction == zfm.CaptureImage || e.Instruction == zfm.CaptureImageEx) {
				return nil
			}
		case <-ctx.Done():
			return fmt.Errorf("waiting for terminal %s to look at the empty glass: %w", t.name, context.Cause(ctx))
		}
	}
}

// do presses one of the operator's buttons on the till's page.
func (t *terminal) do(ctx context.Context, action string, form url.Values) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+t.address+t.base+"/do/"+action, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("pressing %s at terminal %s: %w", action, t.name, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
		return fmt.Errorf("pressing %s at terminal %s: %s: %s", action, t.name, answer.Status, text)
	}
	return nil
}

// clear brings the till back to waiting for the next basket.
func (t *terminal) clear(ctx context.Context) error {
	if err := t.do(ctx, "clear", nil); err != nil {
		return err
	}
	_, err := t.watcher.until(ctx, "the till to be clear", func(v till.View) bool { return v.State == till.Idle })
	return err
}

// key types a PIN on the operator's page and waits for who it names.
func (t *terminal) key(ctx context.Context, pin string) (till.View, error) {
	if err := t.do(ctx, "pin", nil); err != nil {
		return till.View{}, err
	}
	for _, digit := range pin {
		if err := t.do(ctx, "key", url.Values{"key": {string(digit)}}); err != nil {
			return till.View{}, err
		}
	}
	return t.watcher.until(ctx, "the PIN to be checked", func(v till.View) bool {
		return v.State == till.Proposed || v.State == till.TryAgain
	})
}

// confirm serves whoever is proposed.
func (t *terminal) confirm(ctx context.Context, v till.View) error {
	if err := t.do(ctx, "confirm", url.Values{"id": {v.Proposal.ID}}); err != nil {
		return err
	}
	_, err := t.watcher.until(ctx, "the pupil to be served", func(v till.View) bool { return v.State == till.Served })
	return err
}

// refuse is the pupil's "no" at this till.
func (t *terminal) refuse(ctx context.Context, id consent.SubjectID) error {
	return t.do(ctx, "refuse", url.Values{"subject": {string(id)}})
}
