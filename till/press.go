package till

import (
	"context"
	"errors"
	"time"

	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/sample"
)

// Reasons why a press gave no template. errLost means that the sensor is closed
// and being looked for again.
var (
	errLost   = errors.New("till: the sensor does not answer")
	errReplay = errors.New("till: the sensor sent the same picture twice")
	errPoor   = errors.New("till: the press could not be read")
)

// press is one finger as read: owned by whoever called [reader.press], who
// clears the template.
type press struct {
	template *matcher.Template
	quality  uint8
	advice   []string
	rows     float64       // of the image that the template is made of, 0..1
	wire     time.Duration // from the finger on the glass to the last of these rows
	last     time.Time     // when that one came
}

// press waits for a finger, reads it and returns its template. lifted demands
// that the finger of the last press has been seen to leave: where nobody asks for
// each press, one left lying, or its latent print, must not be read twice. down
// is called when rows begin to come. judge, unless nil, is shown the finger as it
// comes, on another goroutine; once it has had enough the upload is broken off, and
// what it saw last is the press. Image and row buffers are overwritten before
// press returns (I3), whatever it returns.
func (r *reader) press(ctx context.Context, lifted bool, down func(), judge judgement) (press, error) {
	b, err := r.take(ctx)
	if err != nil {
		return press{}, err
	}
	defer r.give(b)
	defer b.extractor.Clear()
	b.lift = b.lift && lifted
	for {
		if !r.used() {
			r.drop(b, "closed: fingers are not used here")
		}
		if b.scanner == nil {
			return press{}, errLost
		}
		p, err := r.look(ctx, b, down, judge)
		switch {
		case ctx.Err() != nil:
			p.clear()
			return press{}, ctx.Err()
		case errors.Is(err, zfm.ErrNoFinger):
		case errors.Is(err, errLost):
			wake(r.lost)
			return press{}, err
		default:
			return p, err
		}
		if !sleep(ctx, fingerPoll, nil) {
			return press{}, ctx.Err()
		}
	}
}

// look is one look at the glass.
func (r *reader) look(ctx context.Context, b *bench, down func(), judge judgement) (press, error) {
	if b.lift {
		on, err := b.scanner.Present(ctx)
		if err == nil && on {
			return press{}, zfm.ErrNoFinger
		}
		if err != nil {
			return press{}, r.fault(ctx, b, err)
		}
		b.lift = false
	}
	return r.scan(ctx, b, down, judge)
}

// scan takes an image and its template. Rows are worked on while they arrive, once
// the module's geometry is known.
func (r *reader) scan(ctx context.Context, b *bench, down func(), judge judgement) (press, error) {
	begun := time.Now()
	upload, enough := context.WithCancel(ctx)
	defer enough()
	w := r.watch(b, judge, enough)
	img, timing, err := b.scanner.Scan(upload, func(y int, row []byte) {
		if y == 0 {
			down()
		}
		w.row(y, row)
	})
	w.end()
	if img != nil {
		defer img.Clear()
	}
	if w.early == nil && err != nil {
		return press{}, r.fault(ctx, b, err)
	}
	b.lift = true
	var p press
	if w.early != nil {
		p, err = press{template: w.early, rows: float64(w.used) / float64(w.info.Height), wire: w.at.Sub(begun), last: w.at}, nil
		wake(r.lost) // a sign of life asked for now drops the rest of the upload before anybody has to wait for it
	} else {
		p, err = b.whole(img, w)
		p.wire = timing.Capture + timing.Wire
	}
	report := b.extractor.Report()
	p.quality = report.Quality
	if words := report.Advice.String(); words != "" {
		p.advice = []string{words}
	}
	switch {
	case b.repeated(w.trace):
		p.clear()
		return press{advice: []string{"lift the finger off and press again"}}, errReplay
	case err != nil:
		p.clear()
		return p, errPoor
	}
	return p, nil
}

// whole is the press of an image that came to its end.
func (b *bench) whole(img *sample.Sample, w *watch) (p press, err error) {
	if w.info.Width == img.Width && w.info.Height == img.Height {
		p.template, err = b.extractor.End()
	} else {
		p.template, err = b.extractor.Extract(img)
	}
	p.rows, p.last = 1, w.last
	return p, err
}

// fault sorts a scanner's error: no finger, a press that went wrong, or a sensor
// that is lost and closed.
func (r *reader) fault(ctx context.Context, b *bench, err error) error {
	var code *zfm.CodeError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, zfm.ErrNoFinger):
		return zfm.ErrNoFinger
	case errors.As(err, &code):
		return errPoor
	}
	r.drop(b, lossWords(err))
	return errLost
}

// repeated notes a picture, or as much as was read of it, and reports whether it is
// bit for bit one of the last: live fingers never give the same picture twice
// (field.md 5D).
func (b *bench) repeated(picture trace) bool {
	for _, s := range b.seen {
		if s.begins(picture) {
			return true
		}
	}
	b.seen[b.next] = picture
	b.next = (b.next + 1) % len(b.seen)
	return false
}

// clear overwrites the template, if there is one.
func (p *press) clear() {
	if p.template != nil {
		p.template.Clear()
		p.template = nil
	}
}
