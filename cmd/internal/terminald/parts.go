package terminald

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/cmd/internal/watchdog"
	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/custody"
	"github.com/tillprint/tillprint/sync/terminal"
	"github.com/tillprint/tillprint/till"
	"github.com/tillprint/tillprint/till/web"
)

// assemble makes the terminal's parts around an open store, and what runs
// beside the till: lights, and the outlet where one is configured.
func assemble(c Config, log *slog.Logger, st *store.Store, hooks Hooks) (*Terminal, *serving, error) {
	t := &Terminal{notes: hooks.Notes, Store: st, Gallery: matcher.NewGallery(), log: log, dir: c.Store.Dir,
		keepLog: time.Duration(c.Audit.KeepDays) * 24 * time.Hour, presses: newPresses(), recent: hooks.recent, trial: hooks.trial, idle: make(chan struct{})}
	var err error
	if t.Custody, err = custody.Open(st, t.Gallery); err != nil {
		return nil, nil, err
	}
	t.Hub, err = terminal.New(terminal.Config{Store: st, Custody: t.Custody, Version: cli.Version(), Untried: t.trial(), Log: log, Wait: time.Duration(c.Sync.Wait), About: t.about})
	if err != nil {
		return nil, nil, err
	}
	t.updates = &updater{c: c, hub: t.Hub, card: hooks.card, key: ReleaseKey, now: t.localNow, boot: bootID(), log: log}
	if c.Page.Network != "" {
		t.network = &network{listen: c.Page.Network, hosts: c.networkHosts, site: st.Identity().Site, store: st, hub: t.Hub, log: log, served: hooks.Network}
	}
	pepper, err := st.Secret(terminal.SecretPepper)
	if err != nil && !errors.Is(err, store.ErrNotFound) { // none before the hub has let a terminal in again: no PIN is known
		return nil, nil, fmt.Errorf("reading the site's PIN pepper: %w", err)
	}
	parts := till.Parts{
		Gallery: t.Gallery, Custody: prompt{t.Custody, t.Hub}, People: st, Pepper: pepper, // in locked memory, for as long as the process lives
		Audit: t.record, PINDigits: t.pinDigits, Settings: st, Recent: st.Recent, OnScan: t.presses.observe(hooks.OnScan), Now: st.Now, Lamps: t.lamps, Alert: t.alert, CashOnly: t.cashOnly,
	}
	if c.Sensor.Port != "" {
		parts.OpenScanner = t.presses.open(c)
	}
	s, err := c.equip(log, st, &parts)
	if err != nil {
		return nil, nil, err
	}
	t.Till, s.watched = s.till, t.alive()
	t.pad, t.touch, t.signal = s.pad, parts.Touch, parts.Signal
	t.workshop = newWorkshop(t, c)
	if hooks.ending != nil {
		t.workshop.trouble, hooks.ending.network = hooks.ending.trouble, t.network
	}
	s.shop = t.workshop
	return t, s, nil
}

// serving is a till with what runs beside it and its page.
type serving struct {
	c       Config
	log     *slog.Logger
	site    string
	till    *till.Till
	runners []runner
	watched []watchdog.Part // beside till and page
	pad     *pad
	shop    web.Workshop // behind the technician's page
}

// equip makes the till of these parts, with the configured lights, keypad and outlet.
func (c Config) equip(log *slog.Logger, st *store.Store, parts *till.Parts) (*serving, error) {
	s := &serving{c: c, log: log, site: st.Identity().Site, runners: []runner{c.panel(log, parts)}}
	outlet, err := c.outlet(st, parts)
	if err != nil {
		return nil, err
	}
	if outlet != nil {
		s.runners = append(s.runners, outlet)
	}
	config := c.till(parts.OpenScanner != nil)
	if config.Trigger == till.OnTouch && parts.Touch == nil {
		config.Trigger = till.OnPoll // the touch line is not there; its absence is in the log
	}
	if s.till, err = till.New(config, *parts); err != nil {
		return nil, err
	}
	s.pad = c.pad(log)
	s.runners = append(s.runners, s.pad.runners(s.till)...)
	return s, nil
}

// start serves the operator's page and runs the till in g until ctx ends.
func (s *serving) start(ctx context.Context, g *errgroup.Group, hooks Hooks) error {
	page, err := net.Listen("tcp", s.c.Page.Listen)
	if err != nil {
		return fmt.Errorf("listening for the operator's page: %w; is another terminal running, or is page.listen wrong?", err)
	}
	g.Go(func() error { return s.till.Run(ctx) })
	g.Go(func() error { return cli.Serve(ctx, page, s.pages(nil)) })
	watched := append(s.watched, watchdog.Part{Name: "till", Answer: s.till.Alive},
		watchdog.Part{Name: "operator's page", Answer: func(ctx context.Context) error { return pageAlive(ctx, page.Addr()) }})
	g.Go(func() error { return watchdog.Run(ctx, s.log, watched...) })
	for _, run := range s.runners {
		g.Go(func() error { return run(ctx) })
	}
	s.log.Info("serving", "page", page.Addr().String()+s.c.Page.Base)
	if hooks.Serving != nil {
		hooks.Serving()
	}
	return nil
}

// pages are the till's pages. answers may be nil; see web.Deps.
func (s *serving) pages(answers func(host string) bool) http.Handler {
	return web.Handler(web.Deps{Till: s.till, Base: s.c.Page.Base, Hosts: s.c.Page.Hosts, Answers: answers, Site: s.site, Workshop: s.shop})
}

// prompt is a custody that asks the hub's client how far the terminal is commissioned, and lets it know at once when
// something is waiting to be sent.
type prompt struct {
	*custody.Custody
	hub *terminal.Client
}

// Fingers adds to custody's answer how far the terminal is commissioned (N1).
func (p prompt) Fingers() (on bool, why string) { return p.hub.Fingers() }

func (p prompt) Enrol(ctx context.Context, records []store.TemplateRecord) error {
	defer p.hub.Wake()
	return p.Custody.Enrol(ctx, records)
}

func (p prompt) Refuse(ctx context.Context, subject consent.SubjectID, by string) (audit.Receipt, error) {
	defer p.hub.Wake()
	return p.Custody.Refuse(ctx, subject, by)
}

// localNow is the time where the school is.
func (t *Terminal) localNow() time.Time {
	now := t.Store.Now()
	p, _ := t.Hub.Profile()
	if zone, err := time.LoadLocation(p.Zone); err == nil && p.Zone != "" {
		return now.In(zone)
	}
	return now.Local()
}

// pinDigits is the length of PINs as the hub last said it.
func (t *Terminal) pinDigits() int {
	p, _ := t.Hub.Profile()
	return p.PINDigits
}

// record writes what happened at the till into the log, and notes whose finger was used (D3).
func (t *Terminal) record(events ...audit.Event) error {
	for _, e := range events {
		if e.Kind == audit.Match && e.Route == till.RouteFinger {
			t.Hub.Used(e.Subject)
		}
	}
	return t.Store.Append(events...)
}

// openModule finds the module on the configured port.
func (c Config) openModule(ctx context.Context) (*zfm.Module, error) {
	return zfm.Open(ctx, c.Sensor.Port, c.module())
}
