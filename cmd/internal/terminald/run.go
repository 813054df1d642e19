package terminald

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tillprint/tillprint/deploy/update"
	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/custody"
	"github.com/tillprint/tillprint/sync/terminal"
	"github.com/tillprint/tillprint/till"
)

// Hooks are what whoever starts a terminal has to say about it; a demonstration or a test watches it with them. All may be nil.
type Hooks struct {
	Serving func()                // each time the page begins to be served: pupils can pay cash at least; must not wait
	Ready   func(*Terminal) error // once the store is open too: pupils can be served by PIN, name and cash
	OnStep  func(step string)     // after each durable step of the store; see store.Options
	OnScan  func(till.Result)     // after each press
	Network func(net.Addr)        // each time the page begins to be served on the school's network

	AwaitJoin bool     // take cash until the terminal has joined, instead of ending with an error
	Notes     []string // sentences for the page, of the system that has started the daemon

	recent *recent                     // of Run
	trial  func() bool                 // this version is on trial; nil asks the card
	card   func() (update.Card, error) // the card with the two slots; nil is ThisCard
	ending *ending                     // of Run
}

// Terminal is a running terminal's parts.
type Terminal struct {
	Till    *till.Till
	Store   *store.Store
	Custody *custody.Custody
	Gallery *matcher.Gallery
	Hub     *terminal.Client

	tested  atomic.Pointer[SelfTest]          // the last self-test; nil before the first
	testing sync.Mutex                        // held while parts are tried
	broken  atomic.Pointer[[]store.Violation] // invariants, as the last check found them; nil before the first
	presses *presses
	updates *updater
	network *network // nil where the page is on loopback only
	recent  *recent  // lines of the log
	notes   []string // of Hooks

	pad      *pad // nil where there is no keypad
	touch    till.Touch
	signal   func(till.Display) // to lights and buzzer
	workshop *workshop

	log     *slog.Logger
	dir     string        // of the store
	keepLog time.Duration // how long records of the audit log are kept; 0 for ever
	trial   func() bool   // this version is on trial
	idle    chan struct{} // upkeep sends here to whoever asks whether it lives
}

// Run serves until ctx ends or a part fails that nothing works without. A
// sensor or a hub that is away is no failure: it shows on the page, and the
// terminal serves on. Nor is a store that cannot be opened: cash is taken
// meanwhile, and a store whose key is lost is begun anew.
func Run(ctx context.Context, c Config, log *slog.Logger, hooks Hooks) error {
	if err := locked.Hide(); err != nil {
		log.Warn("this process's memory could not be hidden from core dumps and debuggers", "err", err)
	}
	hooks.recent = new(recent)
	if hooks.trial == nil {
		hooks.trial = onTrial
	}
	if hooks.card == nil {
		hooks.card = ThisCard
	}
	log = hooks.recent.beside(log)
	end := &ending{c: c, log: log, hooks: hooks}
	hooks.ending = end
	for {
		if ended, err := end.run(ctx); ended || err != nil {
			return err
		}
		p := &opening{c: c, log: log, o: store.Options{OnStep: hooks.OnStep}, trial: hooks.trial}
		st, err := open(ctx, p, hooks)
		if err != nil || st == nil {
			return err
		}
		err = errors.Join(serve(ctx, c, log, st, hooks), st.Close())
		switch {
		case errors.Is(err, terminal.ErrWiped):
			return errors.Join(err, terminal.ForgetPlace(c.Store.Dir))
		case errors.Is(err, errOrdered):
			continue
		case !errors.Is(err, terminal.ErrReadmitted) || ctx.Err() != nil:
			return err
		}
		log.Info("the office has let this terminal in again")
	}
}

// openPatience is how long a store may take to open before cash is taken without it: 10,000 templates need less.
const openPatience = 2 * time.Second

// open opens the store and takes cash meanwhile if that fails or takes long, as with a slot that answers slowly or never.
func open(ctx context.Context, p *opening, hooks Hooks) (*store.Store, error) {
	type outcome struct {
		st  *store.Store
		err error
	}
	first := make(chan outcome, 1)
	go func() { st, err := p.try(); first <- outcome{st, err} }()
	next, why := p.try, errors.New("the key slot is slow to answer")
	select {
	case o := <-first:
		if hooks.AwaitJoin && errors.Is(o.err, errNotJoined) {
			_, why = p.tryJoined()
			return takeCash(ctx, p.c, p.log, hooks, why, p.tryJoined)
		}
		if o.err == nil || hopeless(o.err) {
			return o.st, o.err
		}
		why = o.err
	case <-time.After(openPatience):
		next = func() (*store.Store, error) {
			if o, ok := <-first; ok {
				close(first)
				return o.st, o.err
			}
			return p.try()
		}
	}
	return takeCash(ctx, p.c, p.log, hooks, why, next)
}

// beside keeps in order what lies beside the store for the day on which its key is lost.
func (t *Terminal) beside(c Config, log *slog.Logger) {
	place, err := terminal.PlaceOf(t.Store)
	if err == nil {
		err = place.Write(c.Store.Dir)
	}
	if err != nil {
		log.Error("if it lost its key now, this terminal could not ask to be let in again", "err", err)
	}
	if t.Hub.Waiting() || t.trial() {
		return
	}
	if err := c.destroyAside(); err != nil {
		log.Error("keys that were set aside could not be destroyed; what they open outlives later withdrawals", "err", err)
	}
}

// serve works with an open store until ctx ends.
func serve(ctx context.Context, c Config, log *slog.Logger, st *store.Store, hooks Hooks) error {
	for _, w := range st.Warnings() {
		log.Warn("store", "warning", w)
	}
	t, s, err := assemble(c, log, st, hooks)
	if err != nil {
		return err
	}
	if err := locked.Trouble(); err != nil { // by now the keys lie there, and the gallery will
		log.Warn("memory", "warning", err)
	}
	t.beside(c, log)
	g, ctx := errgroup.WithContext(ctx)
	if err := s.start(ctx, g, hooks); err != nil {
		return err
	}
	g.Go(func() error { return t.Hub.Run(ctx) })
	g.Go(func() error { return t.upkeep(ctx, log) })
	g.Go(func() error { return t.firstSelfTest(ctx, c) })
	g.Go(func() error { return t.updates.run(ctx) })
	g.Go(func() error { return t.passOnNews(ctx) })
	if t.network != nil {
		g.Go(func() error { return t.network.run(ctx, s.pages(t.network.answers)) })
	}
	g.Go(func() error { return t.control(ctx, c) })
	g.Go(func() error { return t.workshop.runTests(ctx) })
	g.Go(func() error { return t.workshop.awaitOrder(ctx) })
	g.Go(func() error { return t.serveMetrics(ctx, c.Metrics.Listen) })
	if hooks.Ready != nil {
		g.Go(func() error { return hooks.Ready(t) })
	}
	return g.Wait()
}
