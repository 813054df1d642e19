package eval

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/extract"
	"github.com/tillprint/tillprint/matcher/sample"
)

// ScanOptions of [Scan]. Input's Sensor must name a module, and Scale is not used.
// Where Input has no clock, work is counted in the processor time of the process, as
// if it had one core to itself: then what else the machine does changes little.
type ScanOptions struct {
	Input
	Baud        int            // of the wire; 0 is 115,200
	Enrol       int            // impressions enrolled of each finger; 0 is 3
	Distractors int            // synthetic templates added, two fingers a subject
	Policy      matcher.Policy // judges whole images, its Early those on their way; zero is matcher.DefaultPolicy
}

// A ScanResult tells when a finger is decided while its image comes over the wire.
// Rows are shares of the image.
type ScanResult struct {
	// Rows that had come when the decision fell, over the scans of enrolled
	// fingers that named somebody; 1 where only the whole image did.
	RowsP50 float64 `json:"rows_at_decision_p50"`
	RowsP95 float64 `json:"rows_at_decision_p95"`

	// Rows that the decision was made of: without those that came while it was
	// worked out, which depend on the processor.
	RowsUsedP50 float64 `json:"rows_used_p50"`

	Wrong     int     `json:"wrong"`          // scans, of enrolled fingers or strangers, that named somebody else
	Undecided int     `json:"undecided"`      // scans of enrolled fingers that named nobody
	ComputeMS float64 `json:"compute_ms_p50"` // from the rows that decided to the decision
	LooksMS   float64 `json:"looks_ms_p50"`   // of all looks on the way together, a scan
	Looks     float64 `json:"looks"`          // at a scan, in the mean

	// The same when nothing is looked at before the last row.
	WrongWhole     int     `json:"wrong_whole"`
	UndecidedWhole int     `json:"undecided_whole"`
	ComputeMSWhole float64 `json:"compute_ms_whole_p50"`

	DecisionMS      float64 `json:"decision_ms_p50"` // from the first byte of the image to the decision
	DecisionMSWhole float64 `json:"decision_ms_whole_p50"`
	Early           int     `json:"early"`     // scans of enrolled fingers that were decided before the last row
	Scans           int     `json:"scans"`     // of enrolled fingers
	Strangers       int     `json:"strangers"` // the same with the own finger left out
	Gallery         int     `json:"gallery"`   // templates
}

// Scan plays scans: the first Enrol impressions of every finger are enrolled among
// distractors, the others sent row by row in the pace of the wire, which is
// computed, not waited for. The work is done for real and its time added: rows that
// come meanwhile wait, and no look is taken while any waits. Each scan is played
// again while its own finger is not enrolled.
func Scan(ctx context.Context, o ScanOptions) (*ScanResult, error) {
	o.Policy = cmp.Or(o.Policy, matcher.DefaultPolicy)
	o.Baud, o.Enrol = cmp.Or(o.Baud, 115_200), cmp.Or(o.Enrol, 3)
	if o.ISO || o.Baud < 1200 || o.Enrol < 1 || o.Distractors < 0 {
		return nil, wrongOptions("scans need images, 1,200 baud or more, an impression enrolled and no negative number of distractors")
	}
	if o.Now == nil {
		o.Now = processorTime
	}
	p := &player{o: o, loader: loader{in: o.Input, extractor: extract.New()}, gallery: matcher.NewGallery()}
	defer p.extractor.Clear()
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("scan: %w", err)
	}
	if p.sensor == nil {
		return nil, wrongOptions("scan: name the sensor, as in r503: a file has no wire")
	}
	if err := p.play(ctx); err != nil {
		return nil, fmt.Errorf("scan %s: %w", o.Dir, err)
	}
	return p.result(), nil
}

// A player plays scans and notes how they went.
type player struct {
	loader
	o       ScanOptions
	gallery *matcher.Gallery

	figures ScanResult
	rows    []time.Duration // shares of an image, in parts of partsOfImage
	used    []time.Duration // likewise
	looks   []time.Duration // spent on all looks at a scan
	looked  int             // how often
	early   times
	whole   times
}

// times of the scans of enrolled fingers that named somebody.
type times struct{ compute, decision []time.Duration }

// partsOfImage counts rows as a share.
const partsOfImage = 1e6

func (p *player) play(ctx context.Context) error {
	for i := range p.o.Distractors {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := p.gallery.Add(fmt.Sprintf("synthetic %d", i/2), uint8(1+i%2), distractor(i, p.sensor)); err != nil {
			return err
		}
	}
	files, err := p.list()
	if err != nil {
		return err
	}
	views, err := p.enrol(files)
	if err != nil {
		return err
	}
	for i, f := range files {
		p.in.Progress(i, len(files))
		if f.Impression <= p.o.Enrol {
			continue
		}
		if err := p.scanTwice(ctx, f, views[f.Finger]); err != nil {
			return err
		}
	}
	p.in.Progress(len(files), len(files))
	if p.figures.Scans == 0 {
		return fmt.Errorf("every impression is enrolled, none is left to scan: enrol fewer than %d", p.o.Enrol)
	}
	return nil
}

// enrol adds the first impressions of every finger.
func (p *player) enrol(files []sample.File) (map[string][]*matcher.Template, error) {
	views := make(map[string][]*matcher.Template)
	for _, f := range files {
		if f.Impression > p.o.Enrol {
			continue
		}
		one, err := p.read(f)
		if err != nil {
			return nil, err
		}
		if one.reference != nil {
			views[f.Finger] = append(views[f.Finger], one.reference)
		}
	}
	for finger, v := range views {
		if err := p.gallery.Add(finger, 1, v...); err != nil {
			return nil, err
		}
	}
	return views, nil
}

// scanTwice plays one impression with its finger enrolled and without.
func (p *player) scanTwice(ctx context.Context, f sample.File, views []*matcher.Template) error {
	s, err := sample.ReadFile(f.Path)
	if err != nil {
		return err
	}
	defer s.Clear()
	if s.PPI = cmp.Or(p.in.PPI, s.PPI); s.PPI == 0 {
		s.PPI = matcher.PPI
	}
	press := p.sensor.Press(s)
	defer press.Clear()
	if err := p.scan(ctx, press, f.Finger, true); err != nil {
		return err
	}
	p.gallery.RemoveSubject(f.Finger)
	if err := p.scan(ctx, press, f.Finger, false); err != nil {
		return err
	}
	if len(views) == 0 {
		return nil
	}
	return p.gallery.Add(f.Finger, 1, views...)
}

// note counts what became of a scan, early and whole.
func (p *player) note(early, whole decision, height int, finger string, enrolled bool) {
	r := &p.figures
	if !early.verdict.Found {
		early = whole
	}
	for _, c := range []struct {
		o                *decision
		wrong, undecided *int
		times            *times
	}{{&early, &r.Wrong, &r.Undecided, &p.early}, {&whole, &r.WrongWhole, &r.UndecidedWhole, &p.whole}} {
		switch {
		case c.o.verdict.Found && c.o.verdict.Best.Subject != finger:
			*c.wrong++
		case enrolled && !c.o.verdict.Found:
			*c.undecided++
		case enrolled:
			c.times.compute = append(c.times.compute, c.o.compute)
			c.times.decision = append(c.times.decision, c.o.at)
		}
	}
	if !enrolled {
		r.Strangers++
		return
	}
	r.Scans++
	if early.verdict.Found {
		p.rows = append(p.rows, time.Duration(partsOfImage*early.rows/height))
		p.used = append(p.used, time.Duration(partsOfImage*early.used/height))
	}
	if early.rows < height {
		r.Early++
	}
}

func (p *player) result() *ScanResult {
	r := &p.figures
	r.RowsP50, r.RowsP95 = quantile(p.rows, 0.5, partsOfImage), quantile(p.rows, 0.95, partsOfImage)
	r.LooksMS = median(p.looks, time.Millisecond)
	r.Looks = float64(p.looked) / float64(max(1, len(p.looks)))
	r.RowsUsedP50 = quantile(p.used, 0.5, partsOfImage)
	r.ComputeMS, r.ComputeMSWhole = median(p.early.compute, time.Millisecond), median(p.whole.compute, time.Millisecond)
	r.DecisionMS, r.DecisionMSWhole = median(p.early.decision, time.Millisecond), median(p.whole.decision, time.Millisecond)
	r.Gallery = p.gallery.Len()
	return r
}
