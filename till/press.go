package till

import (
	"context"
	"errors"
	"hash/maphash"
	"time"

	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/matcher"
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
	wire     time.Duration // from the finger on the glass to the last row
	rest     time.Duration // from the last row to the template
}

// press waits for a finger, reads it and returns its template. lifted demands
// that the finger of the last press has been seen to leave: where nobody asks for
// each press, one left lying, or its latent print, must not be read twice. down
// is called when rows begin to come. Image and row buffers are overwritten before
// press returns (I3), whatever it returns.
func (r *reader) press(ctx context.Context, lifted bool, down func()) (press, error) {
	b, err := r.take(ctx)
	if err != nil {
		return press{}, err
	}
	defer r.give(b)
	defer b.extractor.Clear()
	b.lift = b.lift && lifted
	for {
		if !r.used() {
			r.drop(b, "closed: this site does not use fingers")
		}
		if b.scanner == nil {
			return press{}, errLost
		}
		p, err := r.look(ctx, b, down)
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
func (r *reader) look(ctx context.Context, b *bench, down func()) (press, error) {
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
	return r.scan(ctx, b, down)
}

// scan takes an image and its template. Rows are worked on while they arrive,
// once the module's geometry is known; a disturbed image begins again at row 0.
func (r *reader) scan(ctx context.Context, b *bench, down func()) (press, error) {
	info := b.scanner.Info()
	last := time.Now()
	img, timing, err := b.scanner.Scan(ctx, func(y int, row []byte) {
		if y == 0 {
			down()
			b.extractor.Begin(info.Width, info.Height, info.PPI)
		}
		if info.Width > 0 {
			b.extractor.Row(y, row)
		}
		last = time.Now()
	})
	if err != nil {
		return press{}, r.fault(ctx, b, err)
	}
	defer img.Clear()
	b.lift = true
	if b.repeated(maphash.Bytes(r.seed, img.Pix)) {
		return press{advice: []string{"lift the finger off and press again"}}, errReplay
	}
	var t *matcher.Template
	if info.Width == img.Width && info.Height == img.Height {
		t, err = b.extractor.End()
	} else {
		t, err = b.extractor.Extract(img)
	}
	report := b.extractor.Report()
	p := press{template: t, quality: report.Quality, wire: timing.Capture + timing.Wire, rest: time.Since(last)}
	if words := report.Advice.String(); words != "" {
		p.advice = []string{words}
	}
	if err != nil {
		p.clear()
		return p, errPoor
	}
	return p, nil
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

// repeated notes a picture and reports whether it is bit for bit one of the
// last: live fingers never give the same picture twice (field.md 5D).
func (b *bench) repeated(sum uint64) bool {
	for _, s := range b.seen {
		if s == sum {
			return true
		}
	}
	b.seen[b.next] = sum
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
