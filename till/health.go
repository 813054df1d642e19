package till

import (
	"context"

	"github.com/tillprint/tillprint/store/audit"
)

// health gathers the lamps: the till's own and those it was given.
func (t *Till) health() []Lamp {
	lamps := []Lamp{t.sensorLamp()}
	if t.parts.Lamps != nil {
		lamps = append(lamps, t.parts.Lamps()...)
	}
	if t.trouble > 0 {
		lamps = append(lamps, Lamp{"Disk", "does not take records: tell the office today", Bad})
	}
	return append(lamps, t.fingersLamp())
}

func (t *Till) sensorLamp() Lamp {
	switch {
	case !t.biometrics():
		return Lamp{"Sensor", "not used here", Good}
	case t.reader == nil:
		return Lamp{"Sensor", "none", Warn}
	case t.reader.ready.Load():
		return Lamp{"Sensor", *t.reader.words.Load(), Good}
	}
	return Lamp{"Sensor", *t.reader.words.Load(), Bad}
}

func (t *Till) fingersLamp() Lamp {
	if on, why := t.fingers(); !on {
		level := Warn
		if !t.biometrics() {
			level = Good // as the site wants it (A16)
		}
		return Lamp{"Fingers", "off. " + why, level}
	}
	return Lamp{"Fingers", "on", Good}
}

// The audit log's words for the till's events. The log has no place for a PIN, a
// name, a score or who else was alike (F7).
const (
	// RouteFinger is the route of a match in the audit log that rests on a finger.
	RouteFinger  = "finger"
	routePIN     = "pin"
	routeName    = "name"
	routeOutside = "outside"
	routeCash    = "cash"

	actionNotThem     = "not-them"
	actionUnconfirmed = "unconfirmed"    // somebody was proposed, and neither confirmed nor rejected
	actionChosen      = "chosen-by-name" // staff picked somebody from a look-up; what they looked for is nobody's business
	actionBegun       = "enrolment-begun"
	actionOther       = "enrolment-other-finger"
	actionAlike       = "enrolment-alike" // a finger was too like somebody else's; whose is not said (F7)
	actionGivenUp     = "enrolment-given-up"
	actionStopped     = "enrolment-stopped" // by the terminal: no sensor, no consent any more, no disk

	actionPINsWrong = "pins-wrong"         // so many wrong PINs that the pad rests
	actionReplay    = "same-picture-twice" // the sensor sent a picture twice
)

// alert tells the office, beside the till. A disk that does not take it shows in
// the health bar.
func (t *Till) alert(sentence string) {
	if t.parts.Alert == nil {
		return
	}
	t.finish(func(context.Context) func() {
		err := t.parts.Alert(sentence)
		return func() {
			if err != nil {
				t.trouble++
			}
		}
	})
}

// record writes an event beside the till. A disk that does not take it is shown
// in the health bar; it stops nobody's lunch.
func (t *Till) record(e audit.Event) {
	e.At, e.Operator = t.parts.Now(), t.operator()
	t.finish(func(context.Context) func() {
		err := t.parts.Audit(e)
		return func() {
			if err != nil {
				t.trouble++
			}
		}
	})
}
