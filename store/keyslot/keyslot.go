// Package keyslot holds the root key of a terminal's store, one key for each epoch, in a place where an old key can be
// made to die.
//
// A [Slot] has room for the keys of two neighbouring epochs, so that a wipe can prepare the next key, commit to it, and
// only then destroy the old one; a power cut between these steps leaves one whole key. The order is
//
//	Next(e+1)  durable    the next key exists beside the current one
//	...                   the caller commits: its key table is sealed under e+1
//	Retire(e+1) durable   no key but that of e+1 exists any more
//
// Every method is safe to repeat, which is what a boot after a power cut does. What the destruction of a key is worth
// depends on where the slot lives; [Slot.Promise] says it in words that may be shown to a data protection officer.
//
// [File] needs no hardware, [TPM] a TPM 2.0 module, [I2C] a small memory chip such as clock modules carry; [Share] leaves half of
// each key with the school's hub, without which a stolen terminal opens nothing; [Memory] keeps nothing. [Use] notes which of them holds the keys after they were moved.
package keyslot

import "errors"

// KeySize is the length of a key in bytes.
const KeySize = 32

// ErrNoKey means that the slot holds no key for the epoch that was asked for (H16: tell the data protection officer).
var ErrNoKey = errors.New("the key slot holds no key for this epoch")

// ErrRolledBack means that the store is older than the slot: an old copy of the card was put back, or the card lost
// writes. It comes together with ErrNoKey.
var ErrRolledBack = errors.New("an old copy of the store was put back")

// whatToDo ends the errors about a key that is not there.
const whatToDo = "put the right one back before the next start, else the terminal begins anew and the office lets it in again; tell the data protection officer (H16)"

// A Slot keeps the root keys of at most two neighbouring epochs. Epochs count from 1. A slot has one user at a time.
type Slot interface {
	// Key writes the key of epoch into dst, which is KeySize bytes long and belongs to the caller, who clears it.
	// The error wraps ErrNoKey when that place is empty.
	Key(epoch uint64, dst []byte) error

	// Next makes a fresh key for epoch and keeps the key of epoch-1. What lay in its place before is lost.
	// The new key is durable when Next returns.
	Next(epoch uint64, dst []byte) error

	// Retire destroys every key but that of epoch. When it returns nil, the destruction is durable and was read back.
	Retire(epoch uint64) error

	// Destroy kills every key: the remote wipe of a stolen terminal (H6) and the first step of its disposal (L1).
	Destroy() error

	// Health looks at the slot without changing it and says in a few words what it found; an error says what to do.
	Health() (string, error)

	// Promise says what the destruction of a key means here, and what it does not cover.
	Promise() string
}

// seedSize is the number of random bytes behind one key. All of them are needed to derive it, so the key is gone when
// any part of them is; Android's vold stores its secdiscardable files in the same size for the same reason.
const seedSize = 16 << 10

// empty reports whether a place holds nothing, that is, only zeros.
func empty(seed []byte) bool {
	for _, b := range seed {
		if b != 0 {
			return false
		}
	}
	return true
}
