package eval

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/synth"
)

// BenchOptions of [Bench].
type BenchOptions struct {
	Gallery  int // templates, all synthetic, two fingers a subject
	Searches int // measured after one for warming up; 0 is 50
	Progress func(done, total int)
	Now      func() time.Time // nil is time.Now
}

// A BenchResult is the speed and the size of a gallery.
type BenchResult struct {
	NSPerTemplate    float64 `json:"ns_per_template"` // of the median search
	SearchMSP50      float64 `json:"search_ms_p50"`
	SearchMSP99      float64 `json:"search_ms_p99"`
	BytesPerTemplate float64 `json:"bytes_per_template"` // memory that the gallery added, on and off the heap
	RSSMiB           float64 `json:"rss_mib"`            // of the whole process, 0 where unknown
	Cores            int     `json:"cores"`              // that one search uses
	Templates        int     `json:"templates"`
	MeanMinutiae     float64 `json:"mean_minutiae"` // every speed depends on it
	Found            float64 `json:"found"`         // share of searches whose own subject came first
}

// Bench searches a synthetic gallery with other presses of enrolled fingers.
func Bench(ctx context.Context, o BenchOptions) (*BenchResult, error) {
	if o.Gallery < 1 {
		return nil, wrongOptions("bench: the gallery needs at least one template")
	}
	if o.Searches <= 0 {
		o.Searches = 50
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	r := &BenchResult{Cores: 1, Templates: o.Gallery}
	before := memory()
	g, err := r.fill(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	r.BytesPerTemplate = float64(memory()-before) / float64(o.Gallery)
	if err := r.search(ctx, g, o); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	r.RSSMiB = residentMiB()
	return r, nil
}

func (r *BenchResult) fill(ctx context.Context, o BenchOptions) (*matcher.Gallery, error) {
	g := matcher.NewGallery()
	minutiae := 0
	for i := range o.Gallery {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		t := synth.Template(uint64(i))
		minutiae += len(t.Minutiae)
		if err := g.Add(benchSubject(i), uint8(1+i%2), t); err != nil {
			return nil, err
		}
		if i%256 == 0 {
			o.Progress(i, o.Gallery)
		}
	}
	r.MeanMinutiae = float64(minutiae) / float64(o.Gallery)
	o.Progress(o.Gallery, o.Gallery)
	return g, nil
}

func benchSubject(template int) string { return "synthetic " + strconv.Itoa(template/2) }

func (r *BenchResult) search(ctx context.Context, g *matcher.Gallery, o BenchOptions) error {
	var took []time.Duration
	first := 0
	for i := range o.Searches + 1 {
		finger := i * 7919 % o.Gallery // spread over the gallery, the same every time
		probe := synth.Press(synth.Template(uint64(finger)), uint64(i))
		began := o.Now()
		found, err := g.Identify(ctx, probe, 2)
		if err != nil {
			return err
		}
		if i == 0 {
			continue
		}
		took = append(took, o.Now().Sub(began))
		if len(found) > 0 && found[0].Subject == benchSubject(finger) {
			first++
		}
	}
	r.SearchMSP50 = quantile(took, 0.5, time.Millisecond)
	r.SearchMSP99 = quantile(took, 0.99, time.Millisecond)
	r.NSPerTemplate = quantile(took, 0.5, time.Nanosecond) / float64(o.Gallery)
	r.Found = float64(first) / float64(o.Searches)
	return nil
}

// memory is what is in use after a full collection, on the heap and outside.
func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) + locked.InUse()
}

// residentMiB reads the resident set from /proc; elsewhere it is unknown, 0.
func residentMiB() float64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(b)
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseFloat(string(fields[1]), 64)
	if err != nil {
		return 0
	}
	return pages * float64(os.Getpagesize()) / (1 << 20)
}
