package flash

import (
	"errors"
	"fmt"
	"strings"
)

// Reasons for which a card is not written, or not taken as written. What to do
// is part of the sentence.
var (
	ErrFixed     = errors.New("it is built into this machine, not a removable card")
	ErrInUse     = errors.New("it is in use")
	ErrProtected = errors.New("it is write-protected: slide the lock on the card or its adapter away from LOCK")
	ErrNoCard    = errors.New("there is no card in the reader")
	ErrTooSmall  = errors.New("the card is too small")
	ErrTooLarge  = errors.New("it is far larger than a terminal's card; is it a disk with somebody's work on it?")
	ErrPulled    = errors.New("the card was pulled out while it was being written: put it back and begin again")
	ErrWorn      = errors.New("the card does not give back what was written: it is worn out, or sold as larger than it is. Throw it away")
	ErrBroken    = errors.New("the card or its reader reports errors: try another reader, then another card")
)

// MaxSize is the largest card that is written, in bytes: card makers' 512 GB.
const MaxSize = 512_000_000_000

// Refuse says why the disk must not be written, whatever is answered to any question; nil if it may.
func (d Disk) Refuse() error {
	var err error
	switch {
	case len(d.InUse) > 0:
		err = fmt.Errorf("%w: %s: unmount it first if it is the right one", ErrInUse, strings.Join(d.InUse, ", "))
	case !d.Removable:
		err = ErrFixed
	case d.Size == 0:
		err = ErrNoCard
	case d.ReadOnly:
		err = ErrProtected
	case d.Size > MaxSize:
		err = ErrTooLarge
	default:
		return nil
	}
	return fmt.Errorf("%s is not written: %w", d.Path, err)
}
