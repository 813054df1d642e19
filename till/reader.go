package till

import (
	"context"
	"errors"
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/extract"
)

const (
	fingerPoll  = 120 * time.Millisecond // between looks for a finger, while one is asked for
	heartbeat   = 5 * time.Second        // between signs of life asked of an idle sensor
	firstRetry  = time.Second            // before a lost sensor is opened again,
	longRetry   = 30 * time.Second       // doubling up to this
	replayDepth = 64                     // pictures remembered by fingerprint of their bytes
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

// bench is the sensor with all that belongs to it. It has one owner at a time:
// it travels through the reader's channel.
type bench struct {
	scanner   Scanner // nil while lost
	extractor *extract.Extractor
	seen      [replayDepth]uint64 // keyed hashes of the last pictures; nothing can be made of them
	next      int
	lift      bool // the finger of the last press has not been seen to leave
}

// reader asks the sensor for fingers and keeps it open.
type reader struct {
	open  func(ctx context.Context) (Scanner, error)
	bench chan *bench   // holds the bench while nobody uses it
	lost  chan struct{} // wakes keepOpen
	ready atomic.Bool
	words atomic.Pointer[string] // the sensor's condition, for the health bar
	seed  maphash.Seed
}

func newReader(open func(ctx context.Context) (Scanner, error)) *reader {
	r := &reader{open: open, bench: make(chan *bench, 1), lost: make(chan struct{}, 1), seed: maphash.MakeSeed()}
	r.bench <- &bench{extractor: extract.New()}
	r.say("being opened")
	return r
}

func (r *reader) say(words string) { r.words.Store(&words) }

// take waits for the bench.
func (r *reader) take(ctx context.Context) (*bench, error) {
	select {
	case b := <-r.bench:
		return b, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (r *reader) give(b *bench) { r.bench <- b }

// keepOpen opens the sensor, again and again with growing pauses when it is
// lost, and closes it at the end. PIN, name and cash go on meanwhile (I6).
func (r *reader) keepOpen(ctx context.Context) {
	pause := firstRetry
	for {
		wait := heartbeat
		if b, err := r.take(ctx); err == nil {
			if r.tend(ctx, b) {
				pause = firstRetry
			} else {
				wait, pause = pause, min(2*pause, longRetry)
			}
			r.give(b)
		}
		if !sleep(ctx, wait, r.lost) {
			break
		}
	}
	b := <-r.bench // its user has seen ctx end, too
	r.drop(b, "closed")
}

// tend opens a lost sensor or asks an open one for a sign of life. No image is
// taken for it (A15).
func (r *reader) tend(ctx context.Context, b *bench) bool {
	if b.scanner != nil {
		if err := b.scanner.Echo(ctx); err != nil && ctx.Err() == nil {
			r.drop(b, lossWords(err))
		}
		return b.scanner != nil
	}
	s, err := r.open(ctx)
	if err != nil {
		r.say(lossWords(err))
		return false
	}
	b.scanner = s
	r.say("ready (" + s.Info().Name + ")")
	r.ready.Store(true)
	return true
}

// drop closes a sensor that cannot be used any more.
func (r *reader) drop(b *bench, words string) {
	r.ready.Store(false)
	r.say(words)
	if b.scanner != nil {
		b.scanner.Close() // its error says nothing that the loss has not said
		b.scanner = nil
	}
}

// lossWords says what is wrong with a sensor and what helps.
func lossWords(err error) string {
	switch {
	case errors.Is(err, zfm.ErrUnplugged):
		return "unplugged: push its plug in; it is tried again by itself"
	case errors.Is(err, zfm.ErrBusy):
		return "used by another program: stop that one"
	case errors.Is(err, zfm.ErrNoModule):
		return "does not answer: check its cable and power"
	case errors.Is(err, zfm.ErrNotSerial):
		return "not found: the configured device is no serial port"
	}
	return "not answering: it is tried again by itself"
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

// sleep waits for d, for a wake-up, or for ctx, and reports whether ctx goes on.
func sleep(ctx context.Context, d time.Duration, early <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-early:
		return true
	case <-ctx.Done():
		return false
	}
}

// wake makes a sleeper look again, now or at its next sleep.
func wake(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
