package keyslot

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	"github.com/tillprint/tillprint/locked"
)

// HalfSize is the length in bytes of what a Keeper keeps.
const HalfSize = 32

// Keeper keeps one half of a terminal's root key away from it; the school's hub does.
//
// The halves form a chain: that of the next epoch follows from the present one (NextHalf), never the other way. So a terminal
// whose hub is away can go on to new epochs, and a keeper that has forgotten an epoch has forgotten it for good.
type Keeper interface {
	// Deposit lets the keeper begin with the half of an epoch. It is durable when Deposit returns.
	Deposit(epoch uint64, half []byte) error
	// Fetch gives the half of an epoch that the keeper has not gone beyond. The error wraps ErrNoKey if there will never be
	// one, and ErrRolledBack as well if the keeper has forgotten it; any other error means that it does not answer.
	Fetch(epoch uint64) ([]byte, error)
	// Forget makes the keeper go on to an epoch and forget all before it. Epoch 0 forgets everything.
	Forget(epoch uint64) error
}

// NextHalf is the half of the epoch after that of half.
func NextHalf(half []byte) []byte {
	next := bytes.Clone(half)
	follow(next, 1)
	return next
}

// HalfOf follows the chain from one epoch to a later one, at most maxChain on.
func HalfOf(half []byte, from, to uint64) ([]byte, error) {
	if err := checkChain(from, to); err != nil {
		return nil, err
	}
	half = bytes.Clone(half)
	follow(half, to-from)
	return half, nil
}

func checkChain(from, to uint64) error {
	if to < from || to-from > maxChain {
		return fmt.Errorf("%w: the chain of halves stands at epoch %d, not at %d", ErrNoKey, from, to)
	}
	return nil
}

// follow goes so many steps along the chain, in place.
func follow(half []byte, steps uint64) {
	defer roomOnStack()()
	m := newMAC(sha256.New)
	defer m.free()
	for range steps {
		m.write(half, half, []byte("tillprint half of a root key 1"))
	}
}

// maxChain bounds the work that an epoch from a card can ask for: ten wipes a day for a hundred years.
const maxChain = 400_000

// Share is the slot of a terminal that opens nothing away from its hub: one half of each key lies in a key file on the card,
// the other with the keeper, and here in memory only. It needs the keeper when the store is opened and when it is made;
// a wipe goes on without it.
type Share struct {
	local  *File
	keeper Keeper

	mu    sync.Mutex
	epoch uint64 // of half
	half  []byte // nil until fetched or drawn; in locked memory
	told  uint64 // the keeper has forgotten everything before this epoch
}

// NewShare makes a slot of a key file for the local halves and a keeper for the others.
func NewShare(local *File, keeper Keeper) *Share { return &Share{local: local, keeper: keeper} }

// Key needs the keeper once after each start.
func (s *Share) Key(epoch uint64, dst []byte) error {
	local := locked.Make[byte](KeySize)
	defer locked.Free(local)
	if err := s.local.Key(epoch, local); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.half == nil || s.epoch > epoch {
		half, err := s.keeper.Fetch(epoch)
		if err != nil {
			return fmt.Errorf("half of this terminal's key is with its hub: %w", err)
		}
		if len(half) != HalfSize {
			return fmt.Errorf("the hub gives half a key of %d bytes: bring hub and terminal to the same release", len(half))
		}
		s.hold(half, epoch)
	}
	return s.join(epoch, local, dst)
}

// hold moves a half into locked memory. The caller holds mu.
func (s *Share) hold(half []byte, epoch uint64) {
	locked.Free(s.half)
	s.half, s.epoch = locked.Append(nil, half...), epoch
	clear(half)
}

// join makes the key of both halves. The caller holds mu.
func (s *Share) join(epoch uint64, local, dst []byte) error {
	if err := checkChain(s.epoch, epoch); err != nil {
		return err
	}
	both := locked.Append(locked.Append(nil, local...), s.half...)
	defer locked.Free(both)
	follow(both[len(local):], epoch-s.epoch)
	defer roomOnStack()()
	hkdfInto(sha256.New, both, binary.BigEndian.AppendUint64([]byte("tillprint root key of two halves 1 "), epoch), dst)
	return nil
}

// Next draws a fresh local half. The keeper is asked only by a slot that has no key yet.
func (s *Share) Next(epoch uint64, dst []byte) error {
	local := locked.Make[byte](KeySize)
	defer locked.Free(local)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.half == nil {
		half := locked.Make[byte](HalfSize)
		defer locked.Free(half)
		if _, err := io.ReadFull(rand.Reader, half); err != nil {
			return fmt.Errorf("drawing a root key: %w", err)
		}
		if err := s.keeper.Deposit(epoch, half); err != nil {
			return fmt.Errorf("giving half of the key to the hub: %w", err)
		}
		s.hold(half, epoch)
		s.told = epoch
	}
	if err := s.local.Next(epoch, local); err != nil {
		return err
	}
	return s.join(epoch, local, dst)
}

// Retire destroys the local half of every other epoch. The keeper hears of it with Settle, since nobody may wait for it here.
func (s *Share) Retire(epoch uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.half != nil && s.epoch < epoch {
		if err := checkChain(s.epoch, epoch); err != nil {
			return err
		}
		follow(s.half, epoch-s.epoch)
		s.epoch = epoch
	}
	return s.local.Retire(epoch)
}

// Settle tells the keeper to forget what Retire has made useless. Call it now and then; it does nothing when all is told.
func (s *Share) Settle() error {
	s.mu.Lock()
	epoch, told := s.epoch, s.told
	s.mu.Unlock()
	if epoch == told {
		return nil
	}
	if err := s.keeper.Forget(epoch); err != nil {
		return fmt.Errorf("telling the hub to forget old halves of the key: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = max(s.told, epoch)
	return nil
}

// Destroy kills the local halves, which is enough, and asks the keeper to forget its own.
func (s *Share) Destroy() error {
	s.mu.Lock()
	locked.Free(s.half)
	s.half = nil
	s.mu.Unlock()
	err := s.local.Destroy()
	_ = s.keeper.Forget(0) // a courtesy: without the local half the other opens nothing
	return err
}

// Health looks at the local halves.
func (s *Share) Health() (string, error) {
	words, err := s.local.Health()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.half != nil && s.told != s.epoch {
		words += "; the hub has yet to forget its old halves"
	}
	return words, err
}

// Promise is the row T4 of the design's table.
func (s *Share) Promise() string {
	return "After a wipe, this card and the terminal's present keys cannot open the wiped template, nor, once the hub has dropped its half, " +
		"can laboratory reading of the card's chips, or a copy of the card made earlier. A terminal that is taken away from its hub and " +
		"switched off opens nothing. Copies of the hub's database keep the half that they hold."
}
