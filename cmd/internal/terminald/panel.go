package terminald

import (
	"context"
	"log/slog"

	"github.com/tillprint/tillprint/device/keypad"
	"github.com/tillprint/tillprint/device/panel"
	"github.com/tillprint/tillprint/till"
)

// panel finds the configured lights, buzzer and touch line, adds them to parts
// and returns what drives them.
func (c Config) panel(log *slog.Logger, parts *till.Parts) runner {
	if c.Touch.Pin != "" {
		polarity := panel.ActiveHigh
		if c.Touch.ActiveLow {
			polarity = panel.ActiveLow
		}
		if touch := panel.OpenTouch(c.Touch.Pin, polarity, log); touch != nil {
			parts.Touch = touch
		}
	}
	p := panel.Open(panel.Pins{Ready: c.Panel.Ready, Busy: c.Panel.Busy, Buzzer: c.Panel.Buzzer}, log)
	parts.Signal = func(d till.Display) { p.Show(cue(d)) }
	return p.Run
}

// cue is what lights and buzzer do for what the pupil's display shows. The
// route is not known here, so no light can give it away (C5).
func cue(d till.Display) panel.Cue {
	switch d {
	case till.OneMoment, till.Hello:
		return panel.Busy
	case till.Enjoy:
		return panel.Served
	}
	return panel.Ready
}

// keypad finds the pupil's keypad and returns what drives it and hands its keys
// to the till; nothing where there is none.
func (c Config) keypad(log *slog.Logger, t *till.Till) []runner {
	if len(c.Keypad.Rows) == 0 {
		return nil
	}
	k := keypad.Open(c.Keypad.Rows, c.Keypad.Columns, log)
	if k == nil {
		return nil
	}
	keys := func(ctx context.Context) error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case r := <-k.Keys():
				_ = t.Key(ctx, r) // a key that comes at the wrong moment is no error: the page shows what to do
			}
		}
	}
	return []runner{k.Run, keys}
}

// runner is a long-running part: it works until ctx ends.
type runner func(ctx context.Context) error
