package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/tillprint/tillprint/cmd/internal/hubd"
	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/device/zfm/zfmsim"
	"github.com/tillprint/tillprint/matcher/sample"
	"github.com/tillprint/tillprint/sync/hub"
)

// The demo's hub account, under which its changes stand in the hub's record.
const officer = "demo"

// world is everything that the demo runs.
type world struct {
	o   Options
	dir string
	log *slog.Logger

	office    office
	hub       *process
	hubConfig hubd.Config
	tills     [2]*terminal
	station   *station
	sims      context.CancelFunc

	cast   []actor // whose fingers are pressed; the first pupils of the school
	pupils []resident
	served int // presses that were confirmed at terminal a
	sales  sales
}

// resident is a pupil as the hub knows them.
type resident struct {
	pupil
	id  consent.SubjectID
	pin string
}

// actor is a resident with a finger to press.
type actor struct {
	resident
	finger finger
	next   int // number of the next press
	known  int // number of a press that found this pupil; 0 if none did yet
}

// school makes the hub, its school and its office's token, in this process,
// before the hub's own process takes over.
func (w *world) founding(ctx context.Context, fingers []finger) error {
	w.o.Progress("school", 0, 1)
	if err := w.configureHub(); err != nil {
		return err
	}
	if err := hub.Init(w.hubConfig.Dir, []string{"localhost"}, rand.Reader, time.Now()); err != nil {
		return err
	}
	h, err := hub.Open(ctx, w.hubConfig.Hub(w.log))
	if err != nil {
		return err
	}
	defer h.Close()
	if err := h.AddSite(ctx, site()); err != nil {
		return err
	}
	if w.office.token, err = h.NewOfficeToken(ctx, siteID, officer); err != nil {
		return err
	}
	return w.admit(ctx, h, fingers)
}

// admit adds the pupils to the school, some hundred at a time.
func (w *world) admit(ctx context.Context, h *hub.Hub, fingers []finger) error {
	pupils := school(w.o.Pupils, len(fingers), time.Now())
	const atOnce = 200
	for start := 0; start < len(pupils); start += atOnce {
		part := pupils[start:min(start+atOnce, len(pupils))]
		people := make([]hub.NewSubject, len(part))
		for i, p := range part {
			people[i] = p.NewSubject
		}
		added, err := h.AddSubjects(ctx, siteID, officer, people)
		if err != nil {
			return err
		}
		for i, a := range added {
			w.pupils = append(w.pupils, resident{pupil: part[i], id: a.Subject, pin: a.PIN})
		}
		w.o.Progress("school", len(w.pupils), len(pupils))
	}
	for i, f := range fingers {
		w.cast = append(w.cast, actor{resident: w.pupils[i], finger: f})
	}
	return nil
}

// configureHub writes the hub's configuration. PINs are verified cheaply here,
// because the demo shows them all anyway.
func (w *world) configureHub() error {
	c := hubd.Default()
	c.Dir = filepath.Join(w.dir, "hub")
	c.PIN.MemoryKiB, c.PIN.Passes = 1024, 1
	var err error
	if c.Terminals.Listen, err = freeAddress(); err != nil {
		return err
	}
	if c.Office.Listen, err = freeAddress(); err != nil {
		return err
	}
	c.Terminals.Addresses = []string{"https://" + c.Terminals.Listen}
	w.office.address = "http://" + c.Office.Listen
	w.hubConfig = c
	text, err := toml.Marshal(c)
	if err != nil {
		return fmt.Errorf("configuring the hub: %w", err)
	}
	return os.WriteFile(w.hubPath(), text, 0o600)
}

func (w *world) hubPath() string { return filepath.Join(w.dir, "hub.toml") }

func (w *world) startHub(ctx context.Context) error {
	w.hub = &process{name: "hub", dir: w.dir, args: []string{"demo-hub", "--config", w.hubPath()}}
	return w.hub.start(ctx)
}

// tillSensor is the sensor of the demo's tills.
func (w *world) tillSensor() sample.Sensor {
	z, err := sample.SensorByName(w.o.Sensor.String())
	if err != nil {
		panic(err) // cannot happen: every model that can be simulated is a sensor
	}
	return z
}

// joinCode asks the office for a code for a new terminal.
func (w *world) joinCode(ctx context.Context, name string) (string, error) {
	var out struct{ Code string }
	err := w.office.call(ctx, "POST", "/join", map[string]string{"name": name}, &out)
	return out.Code, err
}

// startTills makes both terminals' sensors, joins them and starts them.
func (w *world) startTills(ctx context.Context, each func(i int, n News)) error {
	sims, stop := context.WithCancel(ctx)
	w.sims = stop
	for i, name := range []string{"a", "b"} {
		address, err := freeAddress()
		if err != nil {
			return err
		}
		outlet, err := freeAddress()
		if err != nil {
			return err
		}
		t := &terminal{name: name, dir: filepath.Join(w.dir, name), base: [...]string{"/till", "/till2"}[i], address: address, outlet: outlet}
		if err := os.Mkdir(t.dir, 0o700); err != nil {
			return err
		}
		if t.sim, err = zfmsim.New(zfmsim.Options{Model: w.o.Sensor, Paced: w.o.Paced, Grain: true, Seed: uint64(i)}); err != nil {
			return err
		}
		w.tills[i] = t
		go t.sim.Run(sims) // ends with the demo
		if err := t.configure(w.o); err != nil {
			return err
		}
		code, err := w.joinCode(ctx, name)
		if err != nil {
			return err
		}
		if err := t.join(ctx, code); err != nil {
			return err
		}
		if err := w.commission(ctx, name); err != nil {
			return err
		}
		if err := t.start(ctx, "", func(n News) { each(i, n) }); err != nil {
			return err
		}
	}
	return nil
}

// close ends everything that runs.
func (w *world) close() {
	if w.station != nil {
		w.station.close()
	}
	for _, t := range w.tills {
		if t == nil {
			continue
		}
		if t.process != nil {
			t.process.stop()
		}
		t.sim.Close()
	}
	if w.sims != nil {
		w.sims()
	}
	if w.hub != nil {
		w.hub.stop()
	}
}

// freeAddress finds a free port on loopback. Somebody else could take it before
// the daemon does; then that daemon says so and the demo ends.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("finding a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}
