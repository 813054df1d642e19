package terminald

import (
	"context"
	"fmt"
	"log/slog"
	"net"

	"golang.org/x/sync/errgroup"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/custody"
	"github.com/tillprint/tillprint/sync/terminal"
	"github.com/tillprint/tillprint/till"
	"github.com/tillprint/tillprint/till/web"
)

// Hooks let a demonstration or a test watch a terminal. All may be nil.
type Hooks struct {
	Ready  func(*Terminal) error // once the page is served: pupils can be served by PIN, name and cash
	OnStep func(step string)     // after each durable step of the store; see store.Options
	OnScan func(till.Result)     // after each press
}

// Terminal is a running terminal's parts.
type Terminal struct {
	Till    *till.Till
	Store   *store.Store
	Custody *custody.Custody
	Gallery *matcher.Gallery
	Hub     *terminal.Client

	log *slog.Logger
}

// Run serves until ctx ends or a part fails that nothing works without. A
// sensor or a hub that is away is no failure: it shows on the page, and the
// terminal serves on.
func Run(ctx context.Context, c Config, log *slog.Logger, hooks Hooks) error {
	if err := hideMemory(); err != nil {
		log.Warn("this process's memory could not be hidden from core dumps and debuggers", "err", err)
	}
	st, err := openStore(c, log, store.Options{OnStep: hooks.OnStep})
	if err != nil {
		return err
	}
	defer st.Close()
	for _, w := range st.Warnings() {
		log.Warn("store", "warning", w)
	}
	t, runners, err := assemble(c, log, st, hooks)
	if err != nil {
		return err
	}
	page, err := net.Listen("tcp", c.Page.Listen)
	if err != nil {
		return fmt.Errorf("listening for the operator's page: %w; is another terminal running, or is page.listen wrong?", err)
	}
	if err := st.Append(audit.Event{Kind: audit.Start}); err != nil {
		page.Close()
		return fmt.Errorf("writing the start into the audit log: %w", err)
	}
	defer func() {
		if err := st.Append(audit.Event{Kind: audit.Stop}); err != nil {
			log.Error("writing the stop into the audit log", "err", err)
		}
	}()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return t.Till.Run(ctx) })
	g.Go(func() error { return t.Hub.Run(ctx) })
	g.Go(func() error { return t.upkeep(ctx, log) })
	g.Go(func() error { return t.passOnNews(ctx) })
	g.Go(func() error { return t.control(ctx, c) })
	pages := web.Handler(web.Deps{Till: t.Till, Base: c.Page.Base, Hosts: c.Page.Hosts, Site: st.Identity().Site})
	g.Go(func() error { return cli.Serve(ctx, page, pages) })
	for _, run := range runners {
		g.Go(func() error { return run(ctx) })
	}
	log.Info("serving", "page", page.Addr().String()+c.Page.Base, "terminal", st.Identity().Terminal)
	if hooks.Ready != nil {
		g.Go(func() error { return hooks.Ready(t) })
	}
	return g.Wait()
}
