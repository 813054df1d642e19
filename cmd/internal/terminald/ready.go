package terminald

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/tillprint/tillprint/store/durable"
)

// readiness says that an update is here and whole, and how long it may be installed. The daemon writes it, which knows
// the site's time zone and whether its clock is right; the image's unit acts on it as root. It holds for one start of the
// kernel: after a night without power the next start is the next morning's, whatever a clock without a battery says.
type readiness struct {
	Sequence uint64    `json:"sequence"`
	Boot     string    `json:"boot"`
	Until    time.Time `json:"until"` // the end of the hours
}

func (r readiness) holds(boot string, now time.Time) bool {
	return r.Boot == boot && now.Before(r.Until)
}

func (c Config) readReady() (r readiness, err error) {
	b, err := os.ReadFile(c.readyPath())
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(b, &r)
}

func (c Config) writeReady(r readiness) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return durable.Replace(c.readyPath(), b)
}

// Errors of ApplyUpdate that no hub needs to hear of.
var (
	ErrNothingReady = errors.New("no update was fetched")
	ErrNotNow       = errors.New("the update that was fetched is not installed now, since the hours for it are over; the daemon has it installed when they come again")
)

// mayApply says whether what lies there may be installed now. The word that it is ready goes otherwise, or the unit that
// waits for it would run again and again; the files stay, and the daemon says it anew within the hours.
func (c Config) mayApply(now time.Time) error {
	ready, err := c.readReady()
	if errors.Is(err, os.ErrNotExist) {
		return ErrNothingReady
	}
	if err == nil && ready.holds(bootID(), now) {
		return nil
	}
	if err := os.Remove(c.readyPath()); err != nil {
		return fmt.Errorf("%w; %w", ErrNotNow, err)
	}
	return ErrNotNow
}
