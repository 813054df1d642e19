package register

import (
	"crypto/ed25519"
	"fmt"

	"github.com/tillprint/tillprint/store/keyslot"
)

// ShareDeposit gives the hub one half of a terminal's root key to keep (see keyslot.Share), signed by the terminal as any
// request. It replaces what the hub kept for the terminal before.
type ShareDeposit struct {
	Epoch uint64            `json:"epoch"`
	Half  []byte            `json:"half"`
	Key   ed25519.PublicKey `json:"key"` // signs ShareQuestions: at start the terminal cannot open its own key yet
}

// Check says whether a deposit is within its bounds.
func (d *ShareDeposit) Check() error {
	if d.Epoch == 0 || len(d.Half) != keyslot.HalfSize || len(d.Key) != ed25519.PublicKeySize {
		return fmt.Errorf("%w: half of a key", ErrMalformed)
	}
	return nil
}

// ShareQuestion asks for the half of an epoch, signed with the deposit's key. With Forget the hub forgets all halves before
// that epoch, and gives none; with Forget and epoch 0 it forgets the deposit.
type ShareQuestion struct {
	Epoch  uint64 `json:"epoch"`
	Forget bool   `json:"forget,omitempty"`
}

// ShareAnswer is the half that was asked for.
type ShareAnswer struct {
	Half []byte `json:"half,omitempty"`
}
