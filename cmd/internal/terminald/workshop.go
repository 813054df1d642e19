package terminald

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/sync/register"
	"github.com/tillprint/tillprint/till"
	"github.com/tillprint/tillprint/till/web"
)

// errOrdered ends serving, since somebody has ordered the terminal's end.
var errOrdered = errors.New("the terminal is to be decommissioned")

// workshop is the terminal behind the technician's page. Its tests run one at a time, beside serving.
type workshop struct {
	t       *Terminal
	c       Config
	trouble string        // why the last order came to nothing
	begin   chan bool     // a test is to begin, with hands or without; holds one
	ordered chan struct{} // closed when the end has been ordered
	answers chan bool     // to the question that is asked; holds one

	mu      sync.Mutex
	leaving bool
	test    web.Test
	changed chan struct{} // closed when test has changed
}

func newWorkshop(t *Terminal, c Config) *workshop {
	return &workshop{t: t, c: c, begin: make(chan bool, 1), ordered: make(chan struct{}), answers: make(chan bool, 1), changed: make(chan struct{})}
}

// Examine asks the doctor.
func (w *workshop) Examine() web.Examination {
	e := examination(w.t.diagnose(w.c))
	e.Trouble = w.trouble
	return e
}

func examination(d *Diagnosis) web.Examination {
	e := web.Examination{Site: d.Site, Terminal: d.Terminal, Version: d.Version, At: d.At}
	for _, f := range d.Findings {
		e.Findings = append(e.Findings, lampOf(f.Part, f.Level, f.Words))
	}
	for _, n := range d.Holds.Queue {
		e.Waiting += n
	}
	return e
}

func lampsFrom(checks []register.Check) (all []till.Lamp) {
	for _, c := range checks {
		all = append(all, lampOf(c.Part, c.Level, c.Words))
	}
	return all
}

func lampOf(part, level, words string) till.Lamp {
	l := till.Lamp{Part: part, Words: words, Level: till.Bad}
	for _, known := range []till.Level{till.Good, till.Warn} {
		if known.String() == level {
			l.Level = known
		}
	}
	return l
}

// Bundle packs what 'tillprintd support-bundle' collects.
func (w *workshop) Bundle(context.Context) ([]byte, error) {
	s, err := w.t.support(w.c)
	if err != nil {
		return nil, err
	}
	return s.packed()
}

func (s Support) packed() ([]byte, error) {
	var b bytes.Buffer
	if err := s.Pack(&b, time.Now()); err != nil {
		return nil, fmt.Errorf("packing the bundle: %w", err)
	}
	return b.Bytes(), nil
}

// Decommission keeps the order, so that no power cut undoes it, and lets serving end.
func (w *workshop) Decommission(terminal string) error {
	if strings.TrimSpace(terminal) != w.t.Store.Identity().Terminal {
		return web.ErrOtherName
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.leaving {
		return web.ErrLeaving
	}
	if err := (order{Terminal: w.t.Store.Identity().Terminal}).write(w.c); err != nil {
		return fmt.Errorf("%w; %w", err, errNothingDone)
	}
	w.leaving = true
	close(w.ordered)
	return nil
}

// Leaving reports whether the end has been ordered.
func (w *workshop) Leaving() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.leaving
}

// awaitOrder ends serving once the end has been ordered.
func (w *workshop) awaitOrder(ctx context.Context) error {
	select {
	case <-w.ordered:
		w.t.log.Warn("a technician has ordered this terminal's end on its page")
		return errOrdered
	case <-ctx.Done():
		return nil
	}
}

// closed is the workshop of a terminal whose store cannot be opened: it tells what is wrong.
type closed struct{ s *shelter }

func (w closed) diagnosis() *Diagnosis {
	d := &Diagnosis{Version: cli.Version(), Running: true, At: time.Now(), Site: "unknown", Terminal: "unknown"}
	for _, l := range w.s.lamps() {
		d.lamp(l)
	}
	if k, err := ReadKeyslot(w.s.c); err != nil {
		d.find("Key slot", till.Bad, "%s: %v", k.Kind, err)
	} else {
		d.find("Key slot", till.Good, "%s: %s", k.Kind, k.Health)
	}
	return d
}

// Examine tells why the store is closed.
func (w closed) Examine() web.Examination { return examination(w.diagnosis()) }

// Bundle is what can be told without the store.
func (w closed) Bundle(context.Context) ([]byte, error) {
	s := w.s.c.support(w.diagnosis())
	s["log.txt"] = w.s.recent.String()
	s.scrub()
	return s.packed()
}

// StartTest and the others need the store.
func (closed) StartTest(bool) error              { return web.ErrNoStore }
func (closed) Answer(bool) error                 { return web.ErrNoQuestion }
func (closed) Test() (web.Test, <-chan struct{}) { return web.Test{}, nil }
func (closed) Decommission(string) error         { return web.ErrNoStore }
func (closed) Leaving() bool                     { return false }
