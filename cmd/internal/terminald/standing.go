package terminald

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/deploy/update"
	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/durable"
	"github.com/tillprint/tillprint/sync/terminal"
	"github.com/tillprint/tillprint/till"
)

// Standing is what a version serves beyond cash. The committed version keeps its own beside the store, and one on trial is
// committed only once it serves as much: what broke between them is the new version's fault until somebody knows better.
type Standing struct {
	PINs   bool `json:"pins"`   // somebody can be served by PIN
	Sensor bool `json:"sensor"` // fingers are in use here and the sensor is ready
}

// lacks says what s does not serve of what the version before did; "" for nothing.
func (s Standing) lacks(before Standing) string {
	switch {
	case before.PINs && !s.PINs:
		return "nobody can be served by PIN, as somebody could under the version before"
	case before.Sensor && !s.Sensor:
		return "the sensor is not ready, as it was under the version before"
	}
	return ""
}

func (c Config) standingPath() string { return filepath.Join(c.updateDir(), "standing") }

// readStanding is what the committed version served last; nothing where it has left no word.
func (c Config) readStanding() (s Standing, err error) {
	if _, err = readNote(c.standingPath(), &s); err != nil {
		err = fmt.Errorf("what the version before served: %w", err)
	}
	return s, err
}

func (c Config) writeStanding(s Standing) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.updateDir(), 0o700); err != nil {
		return err
	}
	return durable.Replace(c.standingPath(), b)
}

// standing is what this terminal serves now.
func (t *Terminal) standing() (s Standing) {
	pepper, err := t.Store.Secret(terminal.SecretPepper)
	defer locked.Free(pepper)
	if err == nil && len(pepper) > 0 && t.cashOnly() == "" {
		err = t.Store.People(func(_ consent.SubjectID, p store.Person) bool {
			s.PINs = p.PINVerifier != ""
			return !s.PINs
		})
	}
	if err != nil {
		t.log.Warn("whether PINs are served cannot be told", "err", err)
	}
	s.Sensor = t.Custody.Biometrics() && t.sensorLamp().Level == till.Good
	return s
}

// sensorLamp is the till's word on its sensor.
func (t *Terminal) sensorLamp() till.Lamp {
	for _, l := range t.Till.View().Health {
		if l.Part == "Sensor" {
			return l
		}
	}
	return till.Lamp{Part: "Sensor", Words: "not told", Level: till.Bad}
}

// noteStanding keeps what a committed version serves, for the next one to be measured by. Where packages replace versions
// there is no trial, and nothing to note.
func (t *Terminal) noteStanding(log *slog.Logger) {
	if _, err := t.updates.card(); err != nil || t.trial() {
		return
	}
	now := t.standing()
	last, err := t.updates.c.readStanding()
	if err == nil && last == now {
		return
	}
	if err := t.updates.c.writeStanding(now); err != nil {
		log.Warn("what this version serves could not be noted; the next one is measured by an older note", "err", err)
	}
}

// Confirm commits the version that is on trial on card, once its daemon serves what the version before has served, and
// reports whether it did. A terminal that takes only cash has no open store and does not answer. Refused often enough, the
// trial's time ends and the version before runs again.
func Confirm(ctx context.Context, c Config, card update.Card) (bool, error) {
	trial, err := card.OnTrial()
	if err != nil || !trial {
		return false, err
	}
	refuse := func(why string) (bool, error) {
		return false, fmt.Errorf("slot %v is not committed: %s; if that does not change, the version before runs again after the trial's time", card.Running, why)
	}
	var now Standing
	switch err := c.ask(ctx, http.MethodGet, "/standing", nil, &now); {
	case errors.Is(err, errNoDaemon):
		return refuse("the store is not open, and cash is taken at most")
	case err != nil:
		return refuse(err.Error())
	}
	before, err := c.readStanding()
	if err != nil {
		return refuse(err.Error())
	}
	if why := now.lacks(before); why != "" {
		return refuse(why)
	}
	if err := update.Commit(card.Autoboot, card.Running); err != nil {
		return false, err
	}
	return true, c.ForgetTried()
}
