package terminald

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/till"
)

// presses measures what a press takes, and keeps count of what the line to the sensor has spoilt.
type presses struct {
	wire, compute prometheus.Histogram
	module        atomic.Pointer[zfm.Module] // that was opened last
	before        atomic.Uint64              // line errors of the modules opened before it
	opened        atomic.Uint64              // times that a sensor was opened

	mu   sync.Mutex
	last []took // of the last presses, oldest first
}

// pressesKept is how many presses a median is taken of: some minutes of lunch.
const pressesKept = 50

// took is what one press took.
type took struct{ wire, compute time.Duration }

func newPresses() *presses {
	seconds := func(name, help string, buckets []float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: "tillprint_" + name, Help: help, Buckets: buckets})
	}
	return &presses{
		wire: seconds("press_wire_seconds", "From the finger on the glass to the last row of its image that was used.",
			[]float64{0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5}),
		compute: seconds("press_compute_seconds", "From that row to the decision.",
			[]float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1}),
	}
}

// observe passes a press on after it has measured it.
func (p *presses) observe(next func(till.Result)) func(till.Result) {
	return func(r till.Result) {
		p.wire.Observe(r.Wire.Seconds())
		p.compute.Observe(r.Compute.Seconds())
		p.keep(took{r.Wire, r.Compute})
		if next != nil {
			next(r)
		}
	}
}

func (p *presses) keep(t took) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.last) == pressesKept {
		p.last = slices.Delete(p.last, 0, 1)
	}
	p.last = append(p.last, t)
}

// medians are what the last n presses took.
func (p *presses) medians() (n int, of took) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.last) == 0 {
		return 0, took{}
	}
	median := func(part func(took) time.Duration) time.Duration {
		var all []time.Duration
		for _, t := range p.last {
			all = append(all, part(t))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return len(p.last), took{median(func(t took) time.Duration { return t.wire }), median(func(t took) time.Duration { return t.compute })}
}

// open opens the sensor and keeps an eye on its line.
func (p *presses) open(c Config) func(context.Context) (till.Scanner, error) {
	return func(ctx context.Context) (till.Scanner, error) {
		m, err := c.openModule(ctx)
		if err != nil {
			return nil, err // not a nil *zfm.Module in an interface
		}
		if last := p.module.Swap(m); last != nil {
			p.before.Add(last.Info().LineErrors)
		}
		p.opened.Add(1)
		return m, nil
	}
}

// describe says what was opened last, for people.
func (p *presses) describe() string {
	m := p.module.Load()
	if m == nil {
		return ""
	}
	return fmt.Sprintf(", family %v at %d baud", m.Info().Family, m.Info().Baud)
}

// lineErrors counts since the daemon's start.
func (p *presses) lineErrors() uint64 {
	n := p.before.Load()
	if m := p.module.Load(); m != nil {
		n += m.Info().LineErrors
	}
	return n
}
