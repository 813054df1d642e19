package terminald

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tillprint/tillprint/deploy/release"
	"github.com/tillprint/tillprint/deploy/update"
	"github.com/tillprint/tillprint/sync/register"
	"github.com/tillprint/tillprint/sync/terminal"
)

// How often the hub is asked what it has staged, and after which pause again when it was away, when fetching was broken off,
// and while root's part is installing what is ready: the office should hear soon how that went.
const (
	lookForUpdates = 10 * time.Minute
	lookAgain      = time.Minute
)

// updater fetches what the hub has staged, within the hours, and tells the hub how the terminal stands. Its state is
// all on the card, so that it goes on after a restart.
type updater struct {
	c    Config
	hub  *terminal.Client
	card func() (update.Card, error)
	key  func() (note.Verifier, error)
	now  func() time.Time // in the site's zone
	boot string           // names this start of the kernel
	log  *slog.Logger

	state atomic.Pointer[register.UpdateState] // nil before the first look
	away  bool                                 // the hub did not answer the last look; run's own
}

// run looks until ctx ends.
func (u *updater) run(ctx context.Context) error {
	for {
		u.look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(u.pause()):
		}
	}
}

func (u *updater) pause() time.Duration {
	s := u.state.Load()
	busy := s != nil && (s.Step == register.UpdateFetching || s.Step == register.UpdateReady)
	if u.away || busy && u.c.Update.Hours.Hold(u.now()) {
		return lookAgain
	}
	return lookForUpdates
}

// look does what there is to do now.
func (u *updater) look(ctx context.Context) {
	next := u.step(ctx)
	if ctx.Err() != nil {
		return
	}
	u.say(next)
}

// say has the hub hear of a new state.
func (u *updater) say(next register.UpdateState) {
	next.Words = next.Words[:min(len(next.Words), 500)]
	if last := u.state.Swap(&next); last == nil || *last != next {
		u.log.Info("updates", "runs", next.Sequence, "offered", next.Offered, "step", next.Step, "words", next.Words)
		u.hub.Wake()
	}
}

// step is the new state.
func (u *updater) step(ctx context.Context) (s register.UpdateState) {
	card, err := u.card()
	if err != nil {
		s.Step, s.Words = register.UpdateForeign, err.Error()
		return s
	}
	trial, err := card.OnTrial()
	switch {
	case err != nil:
		s.Step, s.Words = register.UpdateForeign, err.Error()
		return s
	case trial:
		s.Offered, s.Step, s.Words = card.Sequence, register.UpdateTrial, "it runs, and is committed once it has served for a while"
		return s
	}
	s.Sequence = card.Sequence
	o, err := u.hub.Offer(ctx)
	if u.away = err != nil; u.away {
		if last := u.state.Load(); last != nil {
			return *last // the hub is away: nothing has changed
		}
		return s
	}
	if o == nil || o.Sequence == card.Sequence {
		u.forget(u.c.outcomePath()) // what is staged once more is tried once more
		return s
	}
	s.Offered = o.Sequence
	s.Step, s.Words = u.pursue(ctx, card, o)
	return s
}

// pursue takes an offer as far as it goes now.
func (u *updater) pursue(ctx context.Context, card update.Card, o *register.UpdateOffer) (step, words string) {
	done, err := u.c.readOutcome()
	switch {
	case err != nil || done.Sequence != o.Sequence: // of an earlier one
	case done.Error != "":
		return register.UpdateFailed, done.Error
	case done.Boot == u.boot:
		return register.UpdateTrial, "installed; it is tried at the next start"
	case u.c.tried(o.Sequence) == nil: // the power went between: it is installed once more
	default:
		return register.UpdateFailed, "it was started on trial and did not serve; the version before runs again"
	}
	now := u.now()
	if ready, err := u.c.readReady(); err == nil && ready.Sequence == o.Sequence && ready.holds(u.boot, now) {
		return register.UpdateReady, "fetched and whole"
	}
	if !u.c.Update.Hours.Hold(now) {
		return register.UpdateFetching, "waits for the hours " + u.c.Update.Hours.String() + ", in which it must be switched on"
	}
	// It can take an hour on a slow line: the office should see that it has begun.
	u.say(register.UpdateState{Sequence: card.Sequence, Offered: o.Sequence, Step: register.UpdateFetching, Words: "its files are coming"})
	switch err := u.fetch(ctx, card, o); {
	case errors.Is(err, errUnfit):
		u.forget()
		return register.UpdateFailed, err.Error()
	case err != nil: // the hub, the network or the card fails: gone on with at the next look
		return register.UpdateFetching, "broken off, and gone on with: " + err.Error()
	}
	return register.UpdateReady, "fetched and whole"
}

// errUnfit says that an update will not be taken however often it is fetched.
var errUnfit = errors.New("it cannot be taken")

// fetch brings the files. The signed statement comes first: what it refuses is not fetched, and only its sizes count.
func (u *updater) fetch(ctx context.Context, card update.Card, o *register.UpdateOffer) error {
	dir := u.c.updateDir()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	key, err := u.key()
	if err != nil {
		return fmt.Errorf("%w: %w", errUnfit, err)
	}
	statement := filepath.Join(dir, update.Statement)
	if err := os.Remove(statement); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := u.hub.FetchUpdate(ctx, o, update.Statement, statement, release.MaxStatement); err != nil {
		return err
	}
	r, err := card.Open(dir, key)
	if err == nil && r.Sequence != o.Sequence {
		err = fmt.Errorf("the hub offers the sequence %d, and the statement is of %d", o.Sequence, r.Sequence)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errUnfit, err)
	}
	for _, name := range []string{release.BootFile, release.RootFile} {
		f, err := r.File(name)
		if err != nil {
			return fmt.Errorf("%w: %w", errUnfit, err)
		}
		path := filepath.Join(dir, name)
		if err := u.hub.FetchUpdate(ctx, o, name, path, f.Packed.Size); err != nil {
			return err
		}
		if err := f.Verify(path, nil); err != nil {
			return fmt.Errorf("%w: %w", errUnfit, errors.Join(err, os.Remove(path)))
		}
	}
	return u.c.writeReady(readiness{Sequence: o.Sequence, Boot: u.boot, Until: u.c.Update.Hours.End(u.now())})
}

// forget clears what an earlier offer has left.
func (u *updater) forget(also ...string) {
	for _, path := range append(also, append(u.files(), u.c.readyPath())...) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			u.log.Warn("an update that is not wanted any more could not be deleted", "err", err)
		}
	}
}

func (u *updater) files() (all []string) {
	for _, name := range register.UpdateFiles {
		all = append(all, filepath.Join(u.c.updateDir(), name))
	}
	return all
}
