package terminald

import (
	"context"
	"log/slog"

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

// runner is a long-running part: it works until ctx ends.
type runner func(ctx context.Context) error
