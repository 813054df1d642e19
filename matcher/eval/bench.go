package eval

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/synth"
)

// BenchOptions of [Bench].
type BenchOptions struct {
	Gallery   int  // templates, all synthetic, two fingers a subject
	Searches  int  // of enrolled fingers in a run, and as many of strangers; 0 is 50
	Runs      int  // of all searches, after one for warming up; 0 is 3
	CountLost bool // search enrolled fingers once more with every template compared fully
	Progress  func(done, total int)
	Now       func() time.Time // nil is time.Now
}

// A BenchResult is the speed and the size of a gallery.
type BenchResult struct {
	NSPerTemplate float64 `json:"ns_per_template"` // of the median search of an enrolled finger
	SearchMSP50   float64 `json:"search_ms_p50"`   // median of the runs' medians
	SearchMSP99   float64 `json:"search_ms_p99"`   // of all runs together

	// The least and the greatest of the runs' medians, for how far to trust
	// SearchMSP50.
	SearchMSP50Range [2]float64 `json:"search_ms_p50_range"`

	StrangerMSP50 float64 `json:"stranger_ms_p50"` // the same for fingers that are not enrolled
	StrangerMSP99 float64 `json:"stranger_ms_p99"`
	CPUMS         float64 `json:"cpu_ms"` // processor time of a search of either sort in the mean, 0 where unknown

	BytesPerTemplate float64 `json:"bytes_per_template"` // memory that the gallery added, on and off the heap
	RSSMiB           float64 `json:"rss_mib"`            // of the whole process, 0 where unknown
	Cores            int     `json:"cores"`              // that one search uses
	Templates        int     `json:"templates"`
	Grafted          int     `json:"grafted"`       // of these, made of two others; see synth.Graft
	MeanMinutiae     float64 `json:"mean_minutiae"` // every speed depends on it
	Found            float64 `json:"found"`         // share of searches whose own subject came first

	Lost   *Lost  `json:"lost_by_first_stage,omitempty"` // with CountLost
	Writes Writes `json:"writes"`
}

// Bench searches a synthetic gallery with other presses of enrolled fingers and
// with strangers, then adds and removes a subject while searches run.
func Bench(ctx context.Context, o BenchOptions) (*BenchResult, error) {
	if o.Gallery < 1 {
		return nil, wrongOptions("bench: the gallery needs at least one template")
	}
	o.Searches, o.Runs = cmp.Or(max(o.Searches, 0), 50), cmp.Or(max(o.Runs, 0), 3)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	b := bench{BenchOptions: o, result: &BenchResult{Cores: 1, Templates: o.Gallery}, gallery: matcher.NewGallery()}
	for _, step := range []func(context.Context) error{b.fill, b.search, b.lost, b.write} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("bench: %w", err)
		}
	}
	b.result.RSSMiB = residentMiB()
	return b.result, nil
}

// A bench is one measurement under way.
type bench struct {
	BenchOptions
	result  *BenchResult
	gallery *matcher.Gallery
	probes  []benchProbe
}

// A benchProbe is a press to search for, of subject or, if that is "", of
// nobody enrolled.
type benchProbe struct {
	subject  string
	template *matcher.Template
}

// prepare makes the probes, enrolled fingers first.
func (b *bench) prepare() {
	for i := range b.Searches {
		finger := b.searched(i)
		b.probes = append(b.probes, benchProbe{benchSubject(finger), synth.Press(synth.Template(uint64(finger)), uint64(i))})
	}
	for i := range b.Searches {
		stranger := synth.Template(1<<32 + uint64(i))
		b.probes = append(b.probes, benchProbe{"", synth.Press(stranger, uint64(i))})
	}
}

func (b *bench) search(ctx context.Context) error {
	b.prepare()
	var own, others, all, allOthers []time.Duration
	var medians, otherMedians []float64
	first := 0
	began := processorTime()
	for run := range b.Runs + 1 {
		own, others = own[:0], others[:0]
		for i := range b.probes {
			took, found, err := b.once(ctx, &b.probes[i])
			if err != nil {
				return err
			}
			if b.probes[i].subject == "" {
				others = append(others, took)
			} else if own = append(own, took); found && run > 0 {
				first++
			}
		}
		if run == 0 {
			began = processorTime()
			continue
		}
		all, allOthers = append(all, own...), append(allOthers, others...)
		medians, otherMedians = append(medians, median(own, time.Millisecond)), append(otherMedians, median(others, time.Millisecond))
	}
	r := b.result
	r.CPUMS = float64(processorTime().Sub(began)) / float64(time.Millisecond) / float64(len(all)+len(allOthers))
	slices.Sort(medians)
	slices.Sort(otherMedians)
	r.SearchMSP50, r.StrangerMSP50 = medians[len(medians)/2], otherMedians[len(otherMedians)/2]
	r.SearchMSP50Range = [2]float64{medians[0], medians[len(medians)-1]}
	r.SearchMSP99, r.StrangerMSP99 = quantile(all, 0.99, time.Millisecond), quantile(allOthers, 0.99, time.Millisecond)
	r.NSPerTemplate = r.SearchMSP50 * 1e6 / float64(b.Gallery)
	r.Found = float64(first) / float64(len(all))
	return nil
}

// once searches for one probe and tells whether its own subject came first.
func (b *bench) once(ctx context.Context, probe *benchProbe) (time.Duration, bool, error) {
	began := b.Now()
	found, err := b.gallery.Identify(ctx, probe.template, 2)
	return b.Now().Sub(began), len(found) > 0 && found[0].Subject == probe.subject, err
}

// lost counts what the first stage loses, if asked to.
func (b *bench) lost(ctx context.Context) error {
	if !b.CountLost {
		return nil
	}
	b.result.Lost = new(Lost)
	for i := range b.Searches {
		p := &b.probes[i]
		candidates, err := b.gallery.Identify(ctx, p.template, 2)
		if err != nil {
			return err
		}
		v := matcher.DefaultPolicy.Decide(candidates, b.gallery.Len())
		if err := b.result.Lost.again(ctx, b.gallery, matcher.DefaultPolicy, p.template, p.subject, v.Found && v.Best.Subject == p.subject); err != nil {
			return err
		}
		b.Progress(i, b.Searches)
	}
	return nil
}
