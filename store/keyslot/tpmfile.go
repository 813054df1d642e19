package keyslot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/tillprint/tillprint/store/durable"
)

// tpmFile is what lies on the card beside the store: blobs that only the TPM can open. None of it is secret, and
// copies of it may rot in the card's spare blocks: what kills a key is the TPM's counter.
type tpmFile struct {
	Version int      `json:"version"`
	Index   uint32   `json:"index"` // NV index of the counter
	SRK     []byte   `json:"srk"`   // Name of the storage key that all blobs hang from: tells this TPM from another one
	Spent   uint64   `json:"spent"` // highest counter value that a key was ever sealed for
	Keys    []tpmKey `json:"keys"`  // at most two, of neighbouring epochs
}

// tpmKey is one sealed seed. It opens while the counter is at most Counter.
type tpmKey struct {
	Epoch   uint64 `json:"epoch"`
	Counter uint64 `json:"counter"`
	Public  []byte `json:"public"`
	Private []byte `json:"private"`
}

const (
	maxTPMFile = 16 << 10 // bytes; two blobs of ECC and SHA-256 need about 1 KiB
	maxBlob    = 1 << 10
	// A failed wipe spends one value. More than this between two wipes is a file that somebody has made up.
	maxSpent = 1 << 10
)

func (f *tpmFile) key(epoch uint64) *tpmKey {
	for i := range f.Keys {
		if f.Keys[i].Epoch == epoch {
			return &f.Keys[i]
		}
	}
	return nil
}

// keep drops every key but that of epoch.
func (f *tpmFile) keep(epoch uint64) {
	var kept []tpmKey
	if k := f.key(epoch); k != nil {
		kept = append(kept, *k)
	}
	f.Keys = kept
}

var errNewerFile = errors.New("a newer version of this program wrote it: install that version again")

// parseTPMFile checks everything that later code relies on.
func parseTPMFile(b []byte) (*tpmFile, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	f := &tpmFile{}
	if err := d.Decode(f); err != nil {
		return nil, errors.New("it is cut off or something else")
	}
	switch {
	case f.Version > 1:
		return nil, errNewerFile
	case f.Version < 1 || len(f.SRK) == 0 || len(f.SRK) > maxBlob || len(f.Keys) > 2:
		return nil, errors.New("it is not laid out as this program writes it")
	}
	for _, k := range f.Keys {
		if len(k.Public) > maxBlob || len(k.Private) > maxBlob || k.Counter > f.Spent {
			return nil, errors.New("it is not laid out as this program writes it")
		}
	}
	return f, nil
}

func readTPMFile(path string) (*tpmFile, error) {
	r, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: the file %s with the sealed keys is missing (%w): %s", ErrNoKey, path, err, whatToDo)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the sealed keys: %w", err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxTPMFile+1))
	if err == nil && len(b) > maxTPMFile {
		err = errors.New("it is too large")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the sealed keys %s: %w", path, err)
	}
	f, err := parseTPMFile(b)
	if errors.Is(err, errNewerFile) {
		return nil, fmt.Errorf("the sealed keys %s: %w", path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the sealed keys %s: %w: %s", ErrNoKey, path, err, whatToDo)
	}
	return f, nil
}

// write makes the file durable.
func (f *tpmFile) write(path string) error {
	b, err := json.Marshal(f)
	if err == nil {
		err = durable.Replace(path, b)
	}
	if err != nil {
		return fmt.Errorf("writing the sealed keys: %w", err)
	}
	return nil
}
