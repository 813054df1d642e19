// Package zfmsim is the module's side of the EF01 protocol on a pseudo-terminal: a fingerprint module for tests, for
// demonstrations and for building a terminal without one.
//
//	sim, err := zfmsim.New(zfmsim.Options{Model: zfmsim.R503})
//	go sim.Run(ctx)
//	m, err := zfm.Open(ctx, sim.Path(), zfm.Options{})
//	sim.Press(finger) // m.Scan now finds it
//
// It answers as an R503 (192x192 pixels), an R307 (256x288) or an R558 (96x100) does: instructions of the family, four
// bits a pixel, the module's own rate. It reads from the pseudo-terminal at which rate the host listens, and what
// crosses at another one arrives as garbage. With Options.Paced every byte takes the time that it takes on the wire.
//
// Faults are scripted with Fault or random with Options.Noise, always from Options.Seed. The simulated module has a
// template library, too, that counts what is written into it, so that a test can show that nothing was.
//
// What real modules do where manuals are silent is a guess here: which of them take a new rate at once, how long a
// capture lasts, and what they answer to instructions that they lack.
package zfmsim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/matcher/sample"
)

// Options describes a simulated module. The zero value is an R503 as delivered, answering as fast as it can.
type Options struct {
	Model    Model
	Paced    bool   // take the time that a real module and its wire take
	Baud     int    // rate when switched on; 0 means 57600
	Password uint32 // as stored in the module
	Seed     uint64 // of noise, garbage and the places of faults
	Noise    Noise
	Grain    bool   // change a few pixels at each capture, as a sensor's own noise does
	Link     string // if set, a symbolic link kept at this path that leads to the pseudo-terminal, also after Replug

	// A module that lies: what it declares in its product information, and how many bytes it sends for an image.
	DeclareWidth, DeclareHeight int
	SendBytes                   int
	// SystemID overrides what the module states in its parameters, if not zero; -1 states 0.
	SystemID int

	// Now and Sleep are the clock of Paced; nil means the real one.
	Now   func() time.Time
	Sleep func(time.Duration)
}

// Noise is the probability of each disturbance for every byte that the module sends.
type Noise struct{ Drop, Duplicate, Flip float64 }

// Sim is a simulated module. Its methods may be called from any goroutine.
type Sim struct {
	options Options
	traits  traits
	events  chan Event
	touch   chan struct{} // holds a token while a touch was not yet waited for
	plugged chan struct{} // holds a token after Replug

	mu      sync.Mutex // guards everything below
	tty     *terminal  // nil while unplugged
	glass   []byte     // packed image of the finger on the glass; nil without one
	last    []byte     // packed image of the finger before: the trace it left
	faults  []Fault
	hung    bool
	written int // writes into the template library
	module
}

// module is the state that the simulated firmware keeps. All but flash is lost when it restarts.
type module struct {
	flash
	baud     int
	verified bool
	image    []byte // the ImageBuffer, packed; nil when it holds none
	light    []byte // parameters of the last light command
	rng      *rand.Rand
}

// flash is what the module keeps without power.
type flash struct {
	baud      int
	packet    byte // 0..3 for 32..256 bytes
	templates int
	notepad   [16]zfm.NotepadPage
}

// New makes a module, switched on and connected. Run brings it to life.
func New(o Options) (*Sim, error) {
	if int(o.Model) >= len(models) {
		return nil, fmt.Errorf("no simulated sensor has model number %d", o.Model)
	}
	if o.Baud == 0 {
		o.Baud = 57600
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = time.Sleep
	}
	s := &Sim{options: o, traits: models[o.Model], events: make(chan Event, eventsKept),
		touch: make(chan struct{}, 1), plugged: make(chan struct{}, 1)}
	s.flash = flash{baud: o.Baud, packet: 2}
	s.rng = rand.New(rand.NewPCG(o.Seed, o.Seed^0x9E3779B97F4A7C15))
	s.reset()
	return s, s.plug()
}

// reset is what a restart does to the firmware. The caller holds mu, or is alone.
func (s *Sim) reset() {
	clear(s.image)
	s.module.baud, s.image, s.light = s.flash.baud, nil, nil
	s.verified = s.options.Password == 0
}

// Path is the device to open: the link if there is one, else the pseudo-terminal. It is empty while unplugged.
func (s *Sim) Path() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.options.Link != "":
		return s.options.Link
	case s.tty == nil:
		return ""
	}
	return s.tty.path
}

// Run serves the module until ctx ends, which is no error. It may run once at a time.
func (s *Sim) Run(ctx context.Context) error {
	for {
		s.mu.Lock()
		tty := s.tty
		s.mu.Unlock()
		if tty != nil {
			s.serve(ctx, tty)
		}
		if ctx.Err() != nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.plugged:
		}
	}
}

// Close switches the module off for good and removes the link.
func (s *Sim) Close() error {
	s.Unplug()
	if s.options.Link != "" {
		if err := os.Remove(s.options.Link); !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Sensor describes the glass of the model.
func (s *Sim) Sensor() sample.Sensor { return s.traits.sensor }

// Light returns the parameters of the last light command since the start, nil without one.
func (s *Sim) Light() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]byte(nil), s.light...)
}

// LibraryWrites counts the commands that would have changed the module's template library or its firmware.
func (s *Sim) LibraryWrites() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written
}
