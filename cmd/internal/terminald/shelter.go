package terminald

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/custody"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/till"
)

// shelter is a terminal that takes cash while its own store cannot be opened, or is not there yet: a real till over an empty store in memory,
// whose key ends with the process. What its log has recorded goes into the store's once that is open.
type shelter struct {
	c     Config
	log   *slog.Logger
	store *store.Store
	why   atomic.Pointer[string]
	notes []string // of Hooks

	recent *recent // lines of the log
}

// takeCash serves cash until next opens the store, which it calls again and again, and returns that store; nil when ctx
// ends first. why is the sentence that the page begins with.
func takeCash(ctx context.Context, c Config, log *slog.Logger, hooks Hooks, why error, next func() (*store.Store, error)) (*store.Store, error) {
	dir, err := os.MkdirTemp(memoryDir(), "tillprint-cash-")
	if err != nil {
		return nil, errors.Join(why, fmt.Errorf("making a place in memory to take cash from: %w", err))
	}
	defer os.RemoveAll(dir)
	id := store.Identity{Site: "none", Terminal: "none"}
	st, err := store.Create(filepath.Join(dir, "store"), &keyslot.Memory{Rand: rand.Reader}, id, store.Options{})
	if err != nil {
		return nil, errors.Join(why, err)
	}
	defer st.Close()
	s := &shelter{c: c, log: log, store: st, notes: hooks.Notes, recent: hooks.recent}
	s.say(why)
	opened, err := s.run(ctx, hooks, next)
	if err != nil || opened == nil {
		return nil, err
	}
	if err := s.handOver(opened); err != nil {
		log.Error("what was recorded while the store was closed could not be carried over", "err", err)
	}
	return opened, nil
}

// memoryDir is a folder that no power cut needs to find again.
func memoryDir() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return os.TempDir()
}

func (s *shelter) say(why error) {
	words := "cash only: " + why.Error()
	if old := s.why.Swap(&words); old == nil || *old != words {
		s.log.Error("the store cannot be opened; cash is taken meanwhile, and it is tried again", "err", why)
	}
}

// run serves and tries to open until either ends.
func (s *shelter) run(ctx context.Context, hooks Hooks, next func() (*store.Store, error)) (opened *store.Store, err error) {
	parts := till.Parts{Gallery: matcher.NewGallery(), People: s.store, Audit: s.store.Append, Recent: s.store.Recent, Now: s.store.Now, Lamps: s.lamps}
	if parts.Custody, err = custody.Open(s.store, parts.Gallery); err != nil {
		return nil, err
	}
	serving, err := s.c.equip(s.log, s.store, &parts)
	if err != nil {
		return nil, err
	}
	serving.shop = closed{s}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	if err := serving.start(ctx, g, hooks); err != nil {
		return nil, err
	}
	g.Go(func() error {
		defer cancel()
		for tries := 0; ; tries++ {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(pause(tries)):
			}
			st, err := next()
			if err == nil {
				opened = st
				return nil
			}
			if hopeless(err) {
				return err
			}
			if errors.Is(err, errAwaited) { // pupils wait for what another process does
				tries = -1
			}
			s.say(err)
		}
	})
	if err := g.Wait(); err != nil {
		if opened != nil {
			err = errors.Join(err, opened.Close())
		}
		return nil, err
	}
	return opened, nil
}

func (s *shelter) lamps() []till.Lamp {
	return append(noteLamps(s.notes), till.Lamp{Part: "Store", Words: *s.why.Load(), Level: till.Bad})
}

// handOver copies what the till has recorded into the log that lasts.
func (s *shelter) handOver(to *store.Store) error {
	var events []audit.Event
	err := s.store.Events(0, func(_ int64, e audit.Event) bool {
		if e.Kind != audit.Start && e.Kind != audit.Stop {
			e.Seq, e.Epoch = 0, 0
			events = append(events, e)
		}
		return true
	})
	if err != nil || len(events) == 0 {
		return err
	}
	return to.Append(events...)
}
