package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/tillprint/tillprint/cmd/internal/terminald"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/extract"
	"github.com/tillprint/tillprint/matcher/synth"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/custody"
	"github.com/tillprint/tillprint/store/keyslot"
	syncterminal "github.com/tillprint/tillprint/sync/terminal"
)

// station is the school's enrolment station: a third terminal of the site,
// inside the demo's own process, at which the crowd was enrolled. Its templates
// reach the tills as any other's do: sealed, through the hub.
type station struct {
	store   *store.Store
	custody *custody.Custody
	client  *syncterminal.Client
	stop    context.CancelFunc
	done    chan error
}

// openStation joins the station and follows the register until it knows it.
func (w *world) openStation(ctx context.Context) error {
	code, err := w.joinCode(ctx, "station")
	if err != nil {
		return err
	}
	st, err := syncterminal.Join(ctx, code, "station", filepath.Join(w.dir, "station"), &keyslot.Memory{Rand: rand.Reader}, store.Options{})
	if err != nil {
		return err
	}
	if err := w.commission(ctx, "station"); err != nil {
		st.Close()
		return err
	}
	s := &station{store: st, done: make(chan error, 1), stop: func() {}}
	w.station = s
	if s.custody, err = custody.Open(st, matcher.NewGallery()); err != nil {
		return err
	}
	if s.client, err = syncterminal.New(syncterminal.Config{Store: st, Custody: s.custody, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}); err != nil {
		return err
	}
	run, stop := context.WithCancel(ctx)
	s.stop = stop
	go func() { s.done <- s.client.Run(run) }()
	return waitFor(ctx, "the enrolment station to know the register", func() (bool, error) {
		state := s.client.State()
		return state.Head > 0 && state.Applied == state.Head, nil
	})
}

func (s *station) close() {
	s.stop()
	if s.client != nil {
		<-s.done
	}
	s.store.Close()
}

// enrolCrowd enrols everybody who has consented, except the cast: two fingers
// each, as templates, since nobody will press them.
func (w *world) enrolCrowd(ctx context.Context) (int, error) {
	var records []store.TemplateRecord
	sensor := w.tillSensor()
	for _, p := range w.pupils[len(w.cast):] {
		if p.story != consented {
			continue
		}
		for _, position := range []uint8{2, 7} {
			t := synth.TemplateOn(sensor, crowdSeed(string(p.id), position))
			data, err := t.MarshalBinary()
			if err != nil {
				return 0, fmt.Errorf("making the crowd: %w", err)
			}
			records = append(records, store.TemplateRecord{Subject: p.id, Finger: position, Data: data, Enrolled: time.Now()})
		}
	}
	if err := w.station.custody.Enrol(ctx, records); err != nil {
		return 0, err
	}
	w.station.client.Wake()
	return len(records), nil
}

// enrolCast enrols the fingers that a person will press on the demo's page, so
// that there is somebody to recognise from the start.
func (w *world) enrolCast(ctx context.Context, actors []actor) (int, error) {
	e := extract.New()
	defer e.Clear()
	n := 0
	for i := range actors {
		var records []store.TemplateRecord
		for range enrolPresses {
			data, err := w.extractPress(e, &actors[i])
			if err != nil {
				return n, err
			}
			records = append(records, store.TemplateRecord{Subject: actors[i].id, Finger: 2, Data: data, Enrolled: time.Now()})
		}
		if err := w.station.custody.Enrol(ctx, records); err != nil {
			return n, err
		}
		n += len(records)
		w.o.Progress("fingers", i+1, len(actors))
	}
	w.station.client.Wake()
	return n, nil
}

// extractPress takes the actor's next press that shows enough of the finger.
func (w *world) extractPress(e *extract.Extractor, a *actor) ([]byte, error) {
	for range 20 {
		image, err := a.finger.press(a.next)
		a.next++
		if err != nil {
			return nil, err
		}
		seen := w.tillSensor().Press(image)
		t, err := e.Extract(seen)
		image.Clear()
		seen.Clear()
		if err == nil && t.Quality >= terminald.Default().Serving.Quality {
			defer t.Clear()
			return t.MarshalBinary()
		}
	}
	return nil, errors.New("no press of a synthetic finger was good enough to enrol")
}

// waitFor asks again and again, a few times a second, until a condition that
// lies in another process holds.
func waitFor(ctx context.Context, what string, holds func() (bool, error)) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := holds()
		if err != nil {
			return fmt.Errorf("waiting for %s: %w", what, err)
		}
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, context.Cause(ctx))
		case <-tick.C:
		}
	}
}
