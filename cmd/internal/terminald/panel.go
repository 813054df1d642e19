package terminald

import (
	"context"
	"log/slog"
	"sync/atomic"

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

// pad hands the keys of the pupil's keypad to the till, or for a while to whoever tries it. A nil pad has no keys.
type pad struct {
	keypad *keypad.Keypad
	lent   atomic.Pointer[chan rune]
}

// pad finds the keypad; nil where there is none.
func (c Config) pad(log *slog.Logger) *pad {
	if len(c.Keypad.Rows) == 0 {
		return nil
	}
	k := keypad.Open(c.Keypad.Rows, c.Keypad.Columns, log)
	if k == nil {
		return nil
	}
	return &pad{keypad: k}
}

// runners drive the keypad and hand its keys on.
func (p *pad) runners(t *till.Till) []runner {
	if p == nil {
		return nil
	}
	keys := func(ctx context.Context) error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case r := <-p.keypad.Keys():
				p.handOn(ctx, t, r)
			}
		}
	}
	return []runner{p.keypad.Run, keys}
}

func (p *pad) handOn(ctx context.Context, t *till.Till, r rune) {
	to := p.lent.Load()
	if to == nil {
		_ = t.Key(ctx, r) // a key that comes at the wrong moment is no error: the page shows what to do
		return
	}
	select {
	case *to <- r:
	default: // one is enough to see that keys come
	}
}

// lend hands the keys to the caller until giveBack; nil where there is no keypad.
func (p *pad) lend() (keys <-chan rune, giveBack func()) {
	if p == nil {
		return nil, func() {}
	}
	to := make(chan rune, 1)
	p.lent.Store(&to)
	return to, func() { p.lent.Store(nil) }
}

// runner is a long-running part: it works until ctx ends.
type runner func(ctx context.Context) error
