package till

import (
	"fmt"
	"time"

	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/store/audit"
)

// Trigger says what makes the sensor look for a finger when nobody is being
// served (A15). The operator can always ask.
type Trigger uint8

// The triggers a site profile can name.
const (
	OnRequest Trigger = iota // only the operator's key
	OnTouch                  // the sensor's touch line
	OnPoll                   // the sensor is asked again and again
)

// Config is what a site decides. The zero value of a field means its default.
type Config struct {
	Biometrics bool           // false: the sensor is never opened, whatever the hub says of the site (A16)
	Trigger    Trigger        // default OnRequest
	Policy     matcher.Policy // when a best candidate is good enough; default matcher.DefaultPolicy
	PINLength  int            // digits of a PIN, 4 to 10; default 6
	Fingers    []uint8        // fingers to enrol, in order, ISO/IEC 19794-2 positions 1 to 10; default 2 and 7, the index fingers
	Quality    uint8          // least quality of an enrolled press, 0 to 100; default 25
	Unlike     float64        // share of pairs of different fingers that may pass for one finger at an enrolment, above 0 to 1 (nothing is compared); default 0.1
	Operator   string         // who works the till, for the audit log and receipts; default "operator"
}

// complete fills in defaults and checks the rest.
func (c *Config) complete() error {
	if c.PINLength == 0 {
		c.PINLength = 6
	}
	if c.PINLength < 4 || c.PINLength > 10 {
		return fmt.Errorf("till: PINs of %d digits: use 4 to 10, better 6", c.PINLength)
	}
	if len(c.Fingers) == 0 {
		c.Fingers = []uint8{2, 7}
	}
	for _, f := range c.Fingers {
		if f < 1 || f > 10 {
			return fmt.Errorf("till: finger position %d: use 1 (right thumb) to 10 (left little finger)", f)
		}
	}
	if c.Policy == (matcher.Policy{}) {
		c.Policy = matcher.DefaultPolicy
	}
	if c.Quality == 0 {
		c.Quality = 25
	}
	if c.Unlike == 0 {
		c.Unlike = 0.1
	}
	if !(c.Unlike > 0 && c.Unlike <= 1) {
		return fmt.Errorf("till: a share of %g unlike presses: use more than 0 and at most 1, better 0.1", c.Unlike)
	}
	if c.Operator == "" {
		c.Operator = "operator"
	}
	if _, err := (audit.Event{Kind: audit.Start, At: time.Unix(0, 0), Operator: c.Operator}).Text(); err != nil {
		return fmt.Errorf("till: the operator's account %.70q: use a short word of letters, digits and \".-\"", c.Operator)
	}
	return nil
}
