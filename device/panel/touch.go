package panel

import (
	"context"
	"log/slog"
	"time"

	"periph.io/x/conn/v3/gpio"
)

// Polarity is the level of a touch line while a finger is on the glass.
type Polarity bool

// An R503's WAKEUP line is low while touched (manual 1.2.2); a ZW's touch output is high.
const (
	ActiveHigh Polarity = false
	ActiveLow  Polarity = true
)

const (
	// edgeWait is the longest wait for an edge: how soon a cancelled context is noticed. It must be finite, since the
	// character device backend of periph 3.8.5 takes "for ever" for "not at all" and the other way round.
	edgeWait = 200 * time.Millisecond
	// steady is how long a line must keep its level to be believed: floating touch wires chatter.
	steady = 20 * time.Millisecond
	// restlessMost bounds the edges waited out at once, so that a line that never rests is looked at all the same.
	restlessMost = 50
)

// Touch is a sensor's finger-detect line. It is a hint that it may be worth to look: the sensor's capture decides.
type Touch struct {
	line    *Line
	touched bool // the finger there was already reported; used by Wait's goroutine only
}

// OpenTouch prepares the pin of that name. It returns nil, after a line in the log, if there is no such pin or it
// cannot be watched: the caller polls the sensor instead. The polarity holds besides a leading "!" of the name.
func OpenTouch(name string, polarity Polarity, log *slog.Logger) *Touch {
	line := Find(name, "touch line", log)
	if line == nil {
		return nil
	}
	line.activeLow = line.activeLow != bool(polarity)
	pull := gpio.PullDown
	if line.activeLow {
		pull = gpio.PullUp
	}
	if err := line.In(pull, gpio.BothEdges); err != nil {
		log.Warn("touch line cannot be watched; the sensor will be polled", "pin", name, "err", err)
		return nil
	}
	return &Touch{line: line}
}

// Wait returns when a finger has come to lie on the glass since the last Wait, or is there at the first. It returns
// ctx's error when that ends, at most a fifth of a second later. One goroutine at a time may wait.
func (t *Touch) Wait(ctx context.Context) error {
	active, edges := t.settled()
	if edges > 1 {
		t.touched = false // lifted and laid on again while nobody waited
	}
	for ctx.Err() == nil {
		if active && !t.touched {
			t.touched = true
			return nil
		}
		t.touched = active
		t.edge(ctx)
		active, _ = t.settled()
	}
	return ctx.Err()
}

// settled waits out the line's chatter and returns whether it is active, and how many edges there were.
func (t *Touch) settled() (active bool, edges int) {
	for edges < restlessMost && t.line.WaitForEdge(steady) {
		edges++
	}
	return t.line.Active(), edges
}

// edge returns after an edge or a while. Backends that cannot wait return at once; the rest of the time is then slept,
// lest the loop take a whole core.
func (t *Touch) edge(ctx context.Context) {
	start := time.Now()
	if t.line.WaitForEdge(edgeWait) {
		return
	}
	left := time.NewTimer(edgeWait - time.Since(start))
	defer left.Stop()
	select {
	case <-left.C:
	case <-ctx.Done():
	}
}
