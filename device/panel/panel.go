// Package panel is what the pupil at the terminal touches, sees and hears beside the display: the sensor's touch line,
// two lights and a buzzer, each on a pin of the board, through periph.
//
//	touch := panel.OpenTouch("GPIO17", panel.ActiveLow, log)
//	p := panel.Open(panel.Pins{Ready: "GPIO22", Busy: "GPIO27", Buzzer: "GPIO23"}, log)
//	go p.Run(ctx)
//	p.Show(panel.Served)
//
// A pin that is not named is not missed. One that is named but absent or unusable costs one line in the log and nothing
// else: lunch goes on without a light.
//
// There is one sound, for a meal served, and it is the same whatever the route: finger, PIN, name, cash. There is no
// sound and no light for a refusal, and none can be asked for (requirement C5).
package panel

import (
	"context"
	"log/slog"
	"time"

	"periph.io/x/conn/v3/gpio"
)

// Cue is what the panel shows.
type Cue uint8

// The cues. They say what the terminal does, never who stands before it or by what route they are served.
const (
	Dark   Cue = iota // out of service
	Ready             // waiting for the next pupil
	Busy              // working
	Served            // done: as Ready, with the tone
)

// Pins names the outputs as the board does ("GPIO22"); a leading "!" is for one that is active when low.
// An empty name means that there is none.
type Pins struct{ Ready, Busy, Buzzer string }

// tone is how long the buzzer sounds.
const tone = 80 * time.Millisecond

// cuesKept is how many cues may wait for a panel whose Run is late; the oldest are dropped beyond that.
const cuesKept = 16

// Panel drives lights and buzzer.
type Panel struct {
	ready, busy, buzzer *Line // nil when absent; used by Run's goroutine only
	cues                chan Cue
	log                 *slog.Logger
}

// Open finds the outputs and switches them off.
func Open(pins Pins, log *slog.Logger) *Panel {
	return &Panel{
		ready:  openOutput(pins.Ready, "ready light", log),
		busy:   openOutput(pins.Busy, "busy light", log),
		buzzer: openOutput(pins.Buzzer, "buzzer", log),
		cues:   make(chan Cue, cuesKept),
		log:    log,
	}
}

// Show lets the panel show c. It never waits; it may be called from any goroutine, and without Run it does nothing.
func (p *Panel) Show(c Cue) {
	for {
		select {
		case p.cues <- c:
			return
		default:
		}
		select {
		case <-p.cues:
		default:
		}
	}
}

// Run drives the pins until ctx ends, then leaves them off. Its error is always nil.
func (p *Panel) Run(ctx context.Context) error {
	silence := time.NewTimer(0)
	defer silence.Stop()
	for {
		select {
		case <-ctx.Done():
			p.light(Dark)
			p.set(p.buzzer, false)
			return nil
		case <-silence.C:
			p.set(p.buzzer, false)
		case c := <-p.cues:
			p.light(c)
			if c == Served {
				p.set(p.buzzer, true)
				silence.Reset(tone)
			}
		}
	}
}

func (p *Panel) light(c Cue) {
	p.set(p.ready, c == Ready || c == Served)
	p.set(p.busy, c == Busy)
}

// set switches a line; nil is an absent one.
func (p *Panel) set(l *Line, active bool) {
	if l == nil {
		return
	}
	if err := l.Set(active); err != nil {
		p.log.Debug("panel pin cannot be set", "pin", l.Name(), "err", err)
	}
}

func openOutput(name, purpose string, log *slog.Logger) *Line {
	l := Find(name, purpose, log)
	if l == nil {
		return nil
	}
	if err := l.Set(false); err != nil {
		log.Warn("panel pin cannot be used; going on without it", "pin", name, "for", purpose, "err", err)
		return nil
	}
	return l
}

// Set drives the line to its active or inactive level.
func (l *Line) Set(active bool) error {
	return l.Out(gpio.Level(active != l.activeLow))
}

// Active reports whether the line is at its active level.
func (l *Line) Active() bool {
	return bool(l.Read()) != l.activeLow
}
