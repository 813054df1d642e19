package till

import (
	"context"
	"reflect"
	"sync"
)

// MaxSubscribers bounds how many pages can watch one till.
const MaxSubscribers = 32

// board hands snapshots to subscribers.
type board struct {
	mu   sync.Mutex // guards subs; held only to change or walk the map
	subs map[chan View]struct{}
}

// Subscribe returns a channel of views, beginning with the current one, that is
// closed when ctx ends or the till stops. A slow reader loses older views, never
// the newest; buffer is how many views it may lag behind, at least 1. It returns
// nil when MaxSubscribers already watch.
func (t *Till) Subscribe(ctx context.Context, buffer int) <-chan View {
	c := make(chan View, max(buffer, 1))
	b := &t.board
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.subs) >= MaxSubscribers {
		return nil
	}
	if b.subs == nil {
		b.subs = map[chan View]struct{}{}
	}
	b.subs[c] = struct{}{}
	c <- *t.current.Load()
	go func() {
		select {
		case <-ctx.Done():
		case <-t.stopped:
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.subs, c)
		close(c)
	}()
	return c
}

// View returns the current snapshot.
func (t *Till) View() View { return *t.current.Load() }

// publish makes a snapshot of the view, if it differs from the last one, and
// hands it to the subscribers and the panel. Called by the till's goroutine.
func (t *Till) publish() {
	next := t.view
	next.Health = t.health()
	next.Pupil = next.pupilView()
	next.NameFirst = t.nameFirst()
	last := t.current.Load()
	if last != nil {
		next.Version = last.Version
		if reflect.DeepEqual(next, *last) {
			return
		}
	}
	next.Version++
	b := &t.board
	b.mu.Lock()
	t.current.Store(&next)
	for c := range b.subs {
		offer(c, next)
	}
	b.mu.Unlock()
	if t.parts.Signal != nil && (last == nil || last.Pupil != next.Pupil) {
		t.parts.Signal(next.Pupil.Display)
	}
}

// offer sends v, dropping the oldest view when the reader lags. The board's lock
// makes it the only sender.
func offer(c chan View, v View) {
	for {
		select {
		case c <- v:
			return
		default:
		}
		select {
		case <-c:
		default:
		}
	}
}
