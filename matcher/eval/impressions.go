package eval

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/extract"
	"github.com/tillprint/tillprint/matcher/iso19794"
	"github.com/tillprint/tillprint/matcher/sample"
)

// Input says which fingerprints to measure on and how to see them.
type Input struct {
	// Dir holds images named FINGER_IMPRESSION.ext, as sample.List takes them.
	Dir string

	// ISO reads the .iso templates of Dir instead of its images. Sensor and
	// Scale then cannot be chosen.
	ISO bool

	// PPI is the resolution of the images in pixels per inch. 0 believes each
	// file and takes 500 where it is silent.
	PPI float64

	// Sensor shows the images as a sensor would deliver them: "full" or ""
	// leaves them as they are, "r503", "r307" and others are sample's.
	Sensor string

	// Scale, above 0, enlarges every probe (not what it is compared with), as
	// a finger grows between enrolment and use. 0 and 1 leave it.
	Scale float64

	// Told enlarges what a probe is compared with by Scale too, as a terminal
	// does that knows how long ago the enrolment was.
	Told bool

	// ThroughISO writes every template as an ISO/IEC 19794-2:2005 record and
	// reads it back before use: what interchange costs.
	ThroughISO bool

	// Progress, if set, is told how many of all steps are done. It is called
	// from the goroutine that runs the measurement.
	Progress func(done, total int)

	// Now is the clock for the times reported; nil is time.Now.
	Now func() time.Time
}

// Title names what is measured, for the head of a chart: the folder and the
// view of it.
func (in *Input) Title() string {
	title := filepath.Base(filepath.Clean(in.Dir))
	if in.Sensor != "" && in.Sensor != "full" {
		title += " as a " + strings.ToUpper(in.Sensor) + " sees it"
	}
	if in.Scale != 0 && in.Scale != 1 {
		title += fmt.Sprintf(", grown by %.3g", in.Scale)
	}
	return title
}

// An impression is one image or template of the set.
type impression struct {
	finger    string
	number    int
	reference *matcher.Template // nil: could not be enrolled
	probe     *matcher.Template // the same, or its enlarged form
}

// A loader turns files into impressions and counts what that cost.
type loader struct {
	in        Input
	sensor    *sample.Sensor
	extractor *extract.Extractor
	failed    int             // impressions without a template
	took      []time.Duration // extraction times
}

// load reads the whole folder. The caller clears the templates.
func load(ctx context.Context, in Input) ([]impression, *loader, error) {
	l := &loader{in: in, extractor: extract.New()}
	defer l.extractor.Clear()
	if err := l.check(); err != nil {
		return nil, nil, err
	}
	files, err := l.list()
	if err != nil {
		return nil, nil, err
	}
	set := make([]impression, 0, len(files))
	for i, f := range files {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		one, err := l.read(f)
		if err != nil {
			return nil, nil, err
		}
		set = append(set, one)
		l.in.Progress(i+1, len(files))
	}
	return set, l, nil
}

// check completes the options or says which of them cannot be.
func (l *loader) check() error {
	in := &l.in
	in.Scale = cmp.Or(in.Scale, 1)
	in.Sensor = cmp.Or(strings.ToLower(in.Sensor), "full")
	if in.Now == nil {
		in.Now = time.Now
	}
	if in.Progress == nil {
		in.Progress = func(int, int) {}
	}
	if !(in.Scale >= 0.5 && in.Scale <= 2) {
		return wrongOptions("scale %g is outside 0.5 to 2", in.Scale)
	}
	if in.PPI != 0 && !(in.PPI >= sample.MinPPI && in.PPI <= sample.MaxPPI) {
		return wrongOptions("resolution %g ppi is outside %d to %d", in.PPI, sample.MinPPI, sample.MaxPPI)
	}
	if in.ISO && (in.Scale != 1 || in.Sensor != "full") {
		return wrongOptions("templates cannot be rescaled or seen through a sensor: leave scale and sensor out")
	}
	if in.Sensor != "full" {
		sensor, err := sample.SensorByName(in.Sensor)
		if err != nil {
			return wrongOptions("%v", err)
		}
		l.sensor = &sensor
	}
	return nil
}

func (l *loader) list() ([]sample.File, error) {
	if !l.in.ISO {
		return sample.List(l.in.Dir)
	}
	entries, err := os.ReadDir(l.in.Dir)
	if err != nil {
		return nil, fmt.Errorf("listing templates: %w", err)
	}
	var files []sample.File
	for _, e := range entries {
		if e.IsDir() || !strings.EqualFold(filepath.Ext(e.Name()), ".iso") {
			continue
		}
		finger, number, err := sample.ParseName(e.Name())
		if err != nil {
			return nil, fmt.Errorf("listing %s: %w", l.in.Dir, err)
		}
		files = append(files, sample.File{Path: filepath.Join(l.in.Dir, e.Name()), Finger: finger, Impression: number})
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no .iso templates: it should hold files named FINGER_IMPRESSION.iso, as in 101_1.iso", l.in.Dir)
	}
	slices.SortFunc(files, func(a, b sample.File) int {
		return cmp.Or(cmp.Compare(a.Finger, b.Finger), cmp.Compare(a.Impression, b.Impression))
	})
	return files, nil
}

func (l *loader) read(f sample.File) (impression, error) {
	one := impression{finger: f.Finger, number: f.Impression}
	var err error
	if l.in.ISO {
		one.reference, err = readISO(f.Path)
		one.probe = one.reference
		return one, err
	}
	s, err := sample.ReadFile(f.Path)
	if err != nil {
		return one, err
	}
	defer s.Clear()
	if s.PPI = cmp.Or(l.in.PPI, s.PPI); s.PPI == 0 {
		s.PPI = matcher.PPI
	}
	one.reference, err = l.extract(s)
	one.probe = one.reference
	if err == nil && l.in.Scale != 1 {
		grown := l.grow(s)
		defer grown.Clear()
		one.probe, err = l.extract(grown)
		if l.in.Told && one.reference != nil {
			one.reference.Grow(l.in.Scale)
		}
	}
	return one, err
}

// grow enlarges s: read at a lower resolution, its pixels cover more finger.
func (l *loader) grow(s *sample.Sample) *sample.Sample {
	larger := *s
	larger.PPI = s.PPI / l.in.Scale
	grown := larger.Resample(s.PPI)
	grown.PPI = s.PPI
	return grown
}

// extract returns nil without error for an image that cannot be enrolled.
func (l *loader) extract(s *sample.Sample) (*matcher.Template, error) {
	if l.sensor != nil {
		s = l.sensor.Press(s)
		defer s.Clear()
	}
	began := l.in.Now()
	t, err := l.extractor.Extract(s)
	l.took = append(l.took, l.in.Now().Sub(began))
	if err != nil {
		l.failed++
		return nil, nil // a failure to enrol is a result, not an error
	}
	if l.in.ThroughISO {
		return throughISO(t)
	}
	return t, nil
}

// throughISO is what another maker's program would give back of t, which it
// clears.
func throughISO(t *matcher.Template) (*matcher.Template, error) {
	defer t.Clear()
	b, err := iso19794.Marshal(t, iso19794.Meta{})
	if err != nil {
		return nil, err
	}
	defer clear(b)
	views, err := iso19794.Unmarshal(b)
	if err != nil {
		return nil, err
	}
	return views[0].Template, nil
}

func readISO(path string) (*matcher.Template, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading template: %w", err)
	}
	defer clear(b)
	views, err := iso19794.Unmarshal(b)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if len(views) == 0 {
		return nil, fmt.Errorf("reading %s: the record has no finger view", path)
	}
	for _, v := range views[1:] {
		v.Template.Clear()
	}
	return views[0].Template, nil
}

func clearAll(set []impression) {
	for _, one := range set {
		for _, t := range []*matcher.Template{one.reference, one.probe} {
			if t != nil {
				t.Clear()
			}
		}
	}
}

// median of durations in the given unit; 0 of none.
func median(took []time.Duration, unit time.Duration) float64 {
	return quantile(took, 0.5, unit)
}

// quantile q of durations by the nearest rank, in the given unit; 0 of none.
func quantile(took []time.Duration, q float64, unit time.Duration) float64 {
	if len(took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(took))
	at := min(int(q*float64(len(sorted))), len(sorted)-1)
	return float64(sorted[at]) / float64(unit)
}
