package till

import (
	"context"
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/tillprint/tillprint/matcher/extract"
)

const (
	fingerPoll  = 120 * time.Millisecond // between looks for a finger, while one is asked for
	heartbeat   = 5 * time.Second        // between signs of life asked of an idle sensor
	firstRetry  = time.Second            // before a lost sensor is opened again,
	longRetry   = 30 * time.Second       // doubling up to this
	replayDepth = 64                     // pictures remembered by fingerprint of their bytes
)

// bench is the sensor with all that belongs to it. It has one owner at a time:
// it travels through the reader's channel.
type bench struct {
	scanner   Scanner // nil while lost
	extractor *extract.Extractor
	seen      [replayDepth]trace // of the last pictures
	next      int
	lift      bool // the finger of the last press has not been seen to leave
}

// reader asks the sensor for fingers and keeps it open.
type reader struct {
	open  func(ctx context.Context) (Scanner, error)
	used  func() bool   // the site uses fingers; otherwise the serial port is nobody's (A16)
	bench chan *bench   // holds the bench while nobody uses it
	lost  chan struct{} // wakes keepOpen
	ready atomic.Bool
	words atomic.Pointer[string] // the sensor's condition, for the health bar
	seed  maphash.Seed
}

func newReader(open func(ctx context.Context) (Scanner, error), used func() bool) *reader {
	r := &reader{open: open, used: used, bench: make(chan *bench, 1), lost: make(chan struct{}, 1), seed: maphash.MakeSeed()}
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
// taken for it (A15). Where the site has stopped using fingers it closes the
// sensor, and opens it again when the site begins anew.
func (r *reader) tend(ctx context.Context, b *bench) bool {
	if !r.used() {
		r.drop(b, "closed: fingers are not used here")
		return true
	}
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
