package keyslot

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/store/durable"
)

// TPM is the slot in a TPM 2.0. Each key is sealed by the chip under a policy that compares a counter in the chip with
// the value that the key was sealed for; Retire raises the counter, and what was sealed for less never opens again, on
// whatever copy of the card it lies.
//
// A key opens while the counter is at most its value, not only when it equals it. So the next key can be opened and
// compared before the store commits to it, and a start between the commit and Retire changes nothing in the chip.
// A value is never used for two keys: a next key that was abandoned dies with the epoch it was made for.
type TPM struct {
	path string
	rand io.Reader
	o    TPMOptions
}

// TPMOptions say where the chip is. Zero fields take the defaults.
type TPMOptions struct {
	Device  string        // character device, or the Unix socket of an emulator; /dev/tpmrm0
	Index   uint32        // NV index of the counter; DefaultTPMIndex
	Timeout time.Duration // for everything that one call of the slot does in the chip; 20 s
}

// tpmSeed is the number of random bytes that the chip seals for one key.
const tpmSeed = 32

// NewTPM names a slot without looking whether it is there, which is enough for Destroy.
func NewTPM(path string, rand io.Reader, o TPMOptions) *TPM {
	return &TPM{path, rand, o.withDefaults()}
}

// CreateTPM makes the counter in the chip and the file of sealed keys at path, with no key in it. It never touches a
// file that exists. A cut between the two leaves a counter that the next call takes over.
func CreateTPM(path string, rand io.Reader, o TPMOptions) (*TPM, error) {
	s := NewTPM(path, rand, o)
	if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("creating the sealed keys: %s: %w", path, fs.ErrExist)
	}
	err := withTPM(s.o, func(c *tpmChip) error {
		if err := c.define(); err != nil {
			return err
		}
		now, err := c.counter()
		if err != nil {
			return err
		}
		f := &tpmFile{Version: 1, Index: s.o.Index, SRK: c.srk.Name.Buffer, Spent: now}
		return f.write(path)
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// OpenTPM reads the file at path and looks whether the chip is the one that belongs to it.
func OpenTPM(path string, rand io.Reader, o TPMOptions) (*TPM, error) {
	s := NewTPM(path, rand, o)
	if err := s.with(func(*tpmChip, *tpmFile) error { return nil }); err != nil {
		return nil, err
	}
	return s, nil
}

func (o TPMOptions) withDefaults() TPMOptions {
	if o.Device == "" {
		o.Device = defaultTPMDevice
	}
	if o.Index == 0 {
		o.Index = DefaultTPMIndex
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTPMTimeout
	}
	return o
}

// with runs f with the file and the chip that belongs to it.
func (s *TPM) with(f func(*tpmChip, *tpmFile) error) error {
	file, err := readTPMFile(s.path)
	if err != nil {
		return err
	}
	if file.Index != s.o.Index {
		return fmt.Errorf("the keys in %s are sealed to the TPM's index %#x, and keyslot.tpm.index says %#x: set it back", s.path, file.Index, s.o.Index)
	}
	return withTPM(s.o, func(c *tpmChip) error {
		if !bytes.Equal(file.SRK, c.srk.Name.Buffer) {
			return fmt.Errorf("%w: this TPM did not seal the keys in %s; it was cleared, or it is another one: %s", ErrNoKey, s.path, whatToDo)
		}
		return f(c, file)
	})
}

// Key has the chip open the key of epoch.
func (s *TPM) Key(epoch uint64, dst []byte) error {
	return s.with(func(c *tpmChip, f *tpmFile) error {
		k, err := s.find(c, f, epoch)
		if err != nil {
			return err
		}
		seed, err := c.unseal(k)
		if err != nil {
			return err
		}
		defer locked.Free(seed)
		return derive(seed, epoch, dst)
	})
}

// find compares counter and file, so that the error can say what has happened; the chip decides on its own.
func (s *TPM) find(c *tpmChip, f *tpmFile, epoch uint64) (*tpmKey, error) {
	k := f.key(epoch)
	if k == nil {
		for _, other := range f.Keys {
			if other.Epoch > epoch {
				return nil, fmt.Errorf("%w, %w: it asks for epoch %d, and the TPM keeps epoch %d: %s", ErrNoKey, ErrRolledBack, epoch, other.Epoch, whatToDo)
			}
		}
		return nil, fmt.Errorf("sealed keys %s, epoch %d: %w: %s", s.path, epoch, ErrNoKey, whatToDo)
	}
	now, err := c.counter()
	if err != nil {
		return nil, err
	}
	if now > k.Counter {
		return nil, fmt.Errorf("%w, %w: the key of epoch %d was sealed for %d, and the TPM's counter stands at %d: %s", ErrNoKey, ErrRolledBack, epoch, k.Counter, now, whatToDo)
	}
	return k, nil
}

// Next seals a fresh key for a counter value that none was sealed for yet, and opens it once before it counts.
func (s *TPM) Next(epoch uint64, dst []byte) error {
	seed := locked.Make[byte](tpmSeed)
	defer locked.Free(seed)
	if _, err := io.ReadFull(s.rand, seed); err != nil {
		return fmt.Errorf("drawing a root key: %w", err)
	}
	return s.with(func(c *tpmChip, f *tpmFile) error {
		now, err := c.counter()
		if err != nil {
			return err
		}
		if f.Spent > now+maxSpent {
			return fmt.Errorf("the sealed keys %s do not fit the TPM's counter: %s", s.path, whatToDo)
		}
		k := tpmKey{Epoch: epoch, Counter: max(now, f.Spent) + 1}
		if k.Public, k.Private, err = c.seal(seed, k.Counter); err != nil {
			return err
		}
		back, err := c.unseal(&k)
		if err != nil {
			return fmt.Errorf("trying the new key: %w", err)
		}
		defer locked.Free(back)
		if !bytes.Equal(back, seed) {
			return errors.New("the TPM gives back another key than it was given: replace the module")
		}
		f.keep(epoch - 1)
		f.Keys, f.Spent = append(f.Keys, k), k.Counter
		if err := f.write(s.path); err != nil {
			return err
		}
		return derive(seed, epoch, dst)
	})
}

// Retire raises the counter to the value of epoch's key: from then on the chip opens no older one. Order: counter,
// read back, file. After a cut between them the file still lists a dead key, and the next call drops it.
func (s *TPM) Retire(epoch uint64) error {
	return s.with(func(c *tpmChip, f *tpmFile) error {
		k, err := s.find(c, f, epoch)
		if err != nil {
			return err
		}
		now, err := c.counter()
		for err == nil && now < k.Counter {
			if err = c.raise(c.index); err == nil {
				before := now
				if now, err = c.counter(); err == nil && now <= before {
					err = errors.New("the TPM's counter does not move: replace the module")
				}
			}
		}
		if err != nil || len(f.Keys) == 1 {
			return err
		}
		f.keep(epoch)
		return f.write(s.path)
	})
}

// Destroy deletes the counter: no policy that names it can be met again, since a counter that is made anew under the same
// index starts above every value that there has ever been. Then the file goes.
func (s *TPM) Destroy() error {
	_, err := os.Lstat(s.path)
	lost := errors.Is(err, fs.ErrNotExist)
	kill := func(c *tpmChip) error { return c.undefine() }
	if lost {
		err = withTPM(s.o, kill)
	} else {
		err = s.with(func(c *tpmChip, _ *tpmFile) error { return kill(c) })
	}
	if err != nil || lost {
		return err
	}
	if err := errors.Join(os.Remove(s.path), durable.SyncDir(filepath.Dir(s.path))); err != nil {
		return fmt.Errorf("deleting the sealed keys: %w", err)
	}
	return nil
}

// Health reads the counter and says what it found.
func (s *TPM) Health() (words string, err error) {
	err = s.with(func(c *tpmChip, f *tpmFile) error {
		now, err := c.counter()
		words = fmt.Sprintf("TPM %s, counter %d at index %#x, %d sealed", s.o.Device, now, s.o.Index, len(f.Keys))
		return err
	})
	return words, err
}

// Promise is the row T3 of the design's table.
func (s *TPM) Promise() string {
	return "After a wipe, this card and the terminal's present keys cannot open the wiped template; " +
		"nor can laboratory reading of the card's chips, or a copy of the card made earlier."
}
