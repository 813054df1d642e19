package terminald

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/custody"
	"github.com/tillprint/tillprint/sync/terminal"
	"github.com/tillprint/tillprint/till"
)

// assemble makes the terminal's parts around an open store, and what runs
// beside the till: lights, and the outlet where one is configured.
func assemble(c Config, log *slog.Logger, st *store.Store, hooks Hooks) (*Terminal, []runner, error) {
	t := &Terminal{Store: st, Gallery: matcher.NewGallery(), log: log}
	var err error
	if t.Custody, err = custody.Open(st, t.Gallery); err != nil {
		return nil, nil, err
	}
	t.Hub, err = terminal.New(terminal.Config{Store: st, Custody: t.Custody, Version: cli.Version(), Log: log, Wait: time.Duration(c.Sync.Wait)})
	if err != nil {
		return nil, nil, err
	}
	pepper, err := st.Secret(terminal.SecretPepper)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the site's PIN pepper: %w; join the hub again", err)
	}
	parts := till.Parts{
		Gallery: t.Gallery, Custody: prompt{t.Custody, t.Hub}, People: st, Pepper: pepper,
		Audit: st.Append, Events: st.Events, OnScan: hooks.OnScan, Now: st.Now, Lamps: t.lamps,
	}
	if c.Sensor.Port != "" {
		parts.OpenScanner = c.openSensor
	}
	runners := []runner{c.panel(log, &parts)}
	outlet, err := c.outlet(st, &parts)
	if err != nil {
		return nil, nil, err
	}
	if outlet != nil {
		runners = append(runners, outlet)
	}
	config := c.till(c.Sensor.Port != "")
	if config.Trigger == till.OnTouch && parts.Touch == nil {
		config.Trigger = till.OnPoll // the touch line is not there; its absence is in the log
	}
	if t.Till, err = till.New(config, parts); err != nil {
		return nil, nil, err
	}
	return t, append(runners, c.keypad(log, t.Till)...), nil
}

// prompt is a custody that lets the hub's client know at once when something
// is waiting to be sent.
type prompt struct {
	*custody.Custody
	hub *terminal.Client
}

func (p prompt) Enrol(ctx context.Context, records []store.TemplateRecord) error {
	defer p.hub.Wake()
	return p.Custody.Enrol(ctx, records)
}

func (p prompt) Refuse(ctx context.Context, subject consent.SubjectID, by string) (audit.Receipt, error) {
	defer p.hub.Wake()
	return p.Custody.Refuse(ctx, subject, by)
}

// openSensor finds the module on the configured port.
func (c Config) openSensor(ctx context.Context) (till.Scanner, error) {
	m, err := c.openModule(ctx)
	if err != nil {
		return nil, err // not a nil *zfm.Module in an interface
	}
	return m, nil
}

func (c Config) openModule(ctx context.Context) (*zfm.Module, error) {
	return zfm.Open(ctx, c.Sensor.Port, zfm.Options{
		Family: c.Sensor.Family, Baud: c.Sensor.Baud, Width: c.Sensor.Width, Height: c.Sensor.Height, Password: c.Sensor.Password,
	})
}
