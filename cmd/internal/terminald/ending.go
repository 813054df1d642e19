package terminald

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/cmd/internal/watchdog"
	"github.com/tillprint/tillprint/store/durable"
	"github.com/tillprint/tillprint/sync/terminal"
	"github.com/tillprint/tillprint/till/web"
)

// A terminal that is decommissioned on its own page passes through two files beside its store. The order comes first, so that a
// power cut cannot leave it half done: the next start goes on with it, and does not take the keys for lost. What is left comes
// before the order goes: the certificate, which is shown at every start from then on. Nothing in either is personal.
func (c Config) orderPath() string { return filepath.Join(c.Store.Dir, "decommission.json") }
func (c Config) endPath() string   { return filepath.Join(c.Store.Dir, "decommissioned.json") }

type order struct {
	Terminal string `json:"terminal"`
}

func (o order) write(c Config) error {
	b, err := json.Marshal(o)
	if err == nil {
		err = os.Remove(c.endPath()) // of an earlier life
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = durable.Replace(c.orderPath(), b)
	}
	if err != nil {
		return fmt.Errorf("keeping the order: %w", err)
	}
	return nil
}

// readNote reads one of the daemon's small JSON files; false where there is none.
func readNote(path string, into any) (bool, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		return false, fmt.Errorf("reading the note in %s: %w", path, err)
	}
	return true, nil
}

// ending ends a terminal in the daemon's own process, and serves the page that is left of it.
type ending struct {
	c       Config
	log     *slog.Logger
	hooks   Hooks
	end     atomic.Pointer[web.End]
	trouble string   // why the last order came to nothing
	network *network // of the terminal that has ended in this process, with its certificate in memory; nil for none
}

// run carries out what has been ordered and shows what is left, until ctx ends. It reports false at once for a terminal that
// goes on.
func (e *ending) run(ctx context.Context) (ended bool, err error) {
	if there, err := e.shown(); err != nil {
		return false, err
	} else if there {
		return true, e.serve(ctx, nothing)
	}
	var o order
	ordered, err := readNote(e.c.orderPath(), &o)
	if err != nil { // written whole or not at all: somebody else has made it
		e.log.Error("an order to decommission cannot be read and is not followed", "err", err)
	}
	if !ordered {
		return false, nil
	}
	if !e.c.joined() && !exists(terminal.PlacePath(e.c.Store.Dir)) {
		e.keep(web.End{Terminal: o.Terminal, Trouble: "Keys and data are destroyed. The power was cut before the certificate was signed, and nothing can sign it any more."})
		return true, e.serve(ctx, nothing)
	}
	e.end.Store(&web.End{Working: true, Terminal: o.Terminal})
	err = e.serve(ctx, func(ctx context.Context) error { return e.carryOut(ctx, o.Terminal) })
	if !errors.Is(err, errNothingDone) {
		return true, err
	}
	e.log.Error("this terminal could not be decommissioned; it serves on", "err", err)
	e.trouble = err.Error()
	return false, os.Remove(e.c.orderPath())
}

// shown reads what is left of a terminal that has ended earlier. One that has joined again since serves.
func (e *ending) shown() (bool, error) {
	if e.c.joined() {
		return false, nil
	}
	var end web.End
	there, err := readNote(e.c.endPath(), &end)
	e.end.Store(&end)
	return there, err
}

// beingTold is what is shown of the hub until it has answered.
const beingTold = "The hub is being told."

func nothing(context.Context) error { return nil }

// carryOut destroys keys and data. What is shown and kept follows it step by step.
func (e *ending) carryOut(ctx context.Context, name string) error {
	ended, tell, err := dispose(ctx, e.c, name)
	if errors.Is(err, errNothingDone) {
		if ctx.Err() != nil { // it is being switched off; the next start goes on
			return nil
		}
		return err
	}
	end := web.End{Terminal: name, Certificate: ended.Certificate, Verifier: ended.Verifier}
	if err != nil {
		e.log.Error("decommissioning", "err", err)
		end.Trouble = err.Error() + "."
		if e.c.joined() {
			end.Trouble += " Switch the terminal off and on: it goes on from there."
			e.end.Store(&end)
			return nil
		}
		e.keep(end)
		return nil
	}
	e.log.Warn("this terminal has been decommissioned")
	end.Hub = beingTold
	e.keep(end)
	if err := tell(ctx); err != nil {
		end.Hub = fmt.Sprintf("The hub does not know yet: %v. Bring it the certificate: its page of terminals, or 'tillprint-hub decommissioned'.", err)
	} else {
		end.Hub = "The hub has the certificate and has removed this terminal."
	}
	e.keep(end)
	return nil
}

// keep shows what is left and writes it down; then the order has been carried out.
func (e *ending) keep(end web.End) {
	b, err := json.Marshal(end)
	if err == nil {
		err = durable.Replace(e.c.endPath(), b)
	}
	if err == nil {
		err = os.Remove(e.c.orderPath())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		e.log.Error("keeping the certificate", "err", err)
		end.Trouble = "The card does not take the certificate: download it before the terminal is switched off."
	}
	e.end.Store(&end)
}

// serve shows the page of the end while work goes on, and until ctx ends. An error of work's ends it.
func (e *ending) serve(ctx context.Context, work func(context.Context) error) error {
	page, err := net.Listen("tcp", e.c.Page.Listen)
	if err != nil {
		return fmt.Errorf("listening for the page of a terminal that has ended: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return cli.Serve(ctx, page, e.pages(nil)) })
	if n := e.network; n != nil && n.admission.Load() != nil { // a card without a screen shows its certificate there
		g.Go(func() error { n.serve(ctx, e.pages(n.answers)); return nil })
	}
	g.Go(func() error { return work(ctx) })
	alive := watchdog.Part{Name: "page", Answer: func(ctx context.Context) error { return pageAlive(ctx, page.Addr()) }}
	g.Go(func() error { return watchdog.Run(ctx, e.log, alive) })
	if e.hooks.Serving != nil {
		e.hooks.Serving()
	}
	return g.Wait()
}

func (e *ending) pages(answers func(host string) bool) http.Handler {
	deps := web.Deps{Base: e.c.Page.Base, Hosts: e.c.Page.Hosts, Answers: answers}
	return web.Ended(deps, func() web.End { return *e.end.Load() })
}
