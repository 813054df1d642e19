package terminald

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/sync/terminal"
)

// How often the terminal looks after itself.
const (
	sweepEvery = time.Minute // dates that have been reached (A2, D3), the clock's mark
	checkEvery = time.Hour   // the invariants
)

// upkeep loads the gallery, then keeps dates and checks invariants until ctx
// ends. Nothing here can stop the terminal from serving.
func (t *Terminal) upkeep(ctx context.Context, log *slog.Logger) error {
	if err := t.Custody.Load(ctx); err != nil && ctx.Err() == nil {
		log.Error("some templates could not be loaded; their owners are served by PIN and name", "err", err)
	}
	log.Info("gallery loaded", "templates", t.Gallery.Len())
	t.check(log)
	t.pruneLog(log)
	t.calibrate(log)
	t.settleSlot(log)
	sweep, check := time.NewTicker(sweepEvery), time.NewTicker(checkEvery)
	defer sweep.Stop()
	defer check.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case t.idle <- struct{}{}:
		case <-sweep.C:
			t.sweep(ctx, log)
		case <-check.C:
			t.check(log)
			t.pruneLog(log)
			if err := t.Store.SetRoomAside(); err != nil {
				log.Warn("no room could be set aside for wipes", "err", err)
			}
		}
	}
}

// calibrate measures what a PIN check may cost here, where the installation has not, or where records were lost since.
func (t *Terminal) calibrate(log *slog.Logger) {
	if _, err := terminal.ReadPINCost(t.Store); !errors.Is(err, store.ErrNotFound) {
		return
	}
	cost, err := terminal.CalibratePINs(t.Store, measurePIN)
	if err != nil {
		log.Error("measuring what a PIN check may cost", "err", err)
		return
	}
	log.Info("a PIN check was measured", "cost", cost.String())
	t.Hub.Wake()
}

// passOnNews tells the till whenever the hub has sent something, so that a pupil
// who is new is found by name at once.
func (t *Terminal) passOnNews(ctx context.Context) error {
	for {
		changed := t.Hub.Changed()
		t.Till.PeopleChanged()
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

func (t *Terminal) sweep(ctx context.Context, log *slog.Logger) {
	swept, err := t.Custody.Sweep(ctx)
	if err != nil && ctx.Err() == nil {
		log.Error("acting on dates failed; it is tried again in a minute", "err", err)
	}
	if swept.Evicted > 0 || len(swept.Receipts) > 0 {
		log.Info("dates were reached", "evicted", swept.Evicted, "wiped", len(swept.Receipts))
	}
	if err := t.Store.Clock().Tick(); err != nil {
		log.Error("keeping the clock's mark failed", "err", err)
	}
	t.settleSlot(log)
	t.noteStanding(log)
}

// pruneLog drops records of the audit log whose time is over. A version on trial leaves that to the time after it: the first pruning
// makes a layout that an earlier version may refuse.
func (t *Terminal) pruneLog(log *slog.Logger) {
	if t.keepLog == 0 || t.trial() {
		return
	}
	n, err := t.Store.PruneLog(t.keepLog, t.Hub.State().Countersigned)
	if err != nil {
		log.Error("dropping old records of the audit log failed; it is tried again in an hour", "err", err)
	}
	if n > 0 {
		log.Info("old records of the audit log were dropped", "records", n)
	}
}

// settleSlot has a hub that keeps half of the key forget what wipes have made useless.
func (t *Terminal) settleSlot(log *slog.Logger) {
	if err := t.Store.SettleSlot(); err != nil {
		log.Warn("the key slot is not settled; it is tried again in a minute, and until then a copy of the card made earlier may still open what was wiped since", "err", err)
	}
}

// check looks for broken invariants. The office, the audit log, the page and the metrics hear of them (H17); the program's own log each time.
func (t *Terminal) check(log *slog.Logger) {
	found := t.violations()
	t.broken.Store(&found)
	for _, v := range found {
		log.Error("an invariant does not hold", "invariant", v.Invariant, "what", v.Text)
	}
	if err := t.Custody.Tell(found, t.alert); err != nil {
		log.Error("not everybody could be told of what the check has found; it is tried again in an hour", "err", err)
	}
}
