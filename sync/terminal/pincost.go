package terminal

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/pin"
)

const settingPINCost = "sync.pin-cost" // PINCost, as JSON

// PINCost is what a PIN check may cost at this terminal, and how long it took when that was measured.
type PINCost struct {
	pin.Cost
	Took time.Duration `json:"took"`
}

func (c PINCost) String() string {
	return fmt.Sprintf("%v, which took %v here", c.Cost, c.Took.Round(time.Millisecond))
}

// CalibratePINs measures what a PIN check may cost on this machine and keeps that for the hub, which makes the verifiers. It belongs to the
// installation: the machine should have nothing else to do.
func CalibratePINs(st *store.Store, measure func(pin.Cost) time.Duration) (PINCost, error) {
	var c PINCost
	c.Cost, c.Took = pin.Calibrate(measure)
	text, err := json.Marshal(c)
	if err == nil {
		err = st.SetSetting(settingPINCost, text)
	}
	if err != nil {
		return c, fmt.Errorf("keeping what a PIN check may cost: %w", err)
	}
	return c, nil
}

// ReadPINCost gives what was measured at the installation; the error wraps store.ErrNotFound before.
func ReadPINCost(st *store.Store) (c PINCost, err error) {
	text, err := st.Setting(settingPINCost)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	return c, err
}

// pinCost is the zero value until it has been measured.
func (c *Client) pinCost() (pin.Cost, error) {
	cost, err := ReadPINCost(c.o.Store)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return pin.Cost{}, fmt.Errorf("%w: %w", errStore, err)
	}
	return cost.Cost, nil
}
