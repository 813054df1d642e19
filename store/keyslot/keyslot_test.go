package keyslot_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillprint/tillprint/store/keyslot"
)

func newFile(t *testing.T) (string, *keyslot.File) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "root.key")
	slot, err := keyslot.CreateFile(path, rand.NewChaCha8([32]byte{5}))
	if err != nil {
		t.Fatal(err)
	}
	return path, slot
}

// All slots keep the contract of the interface.
func TestSlots(t *testing.T) {
	open := map[string]func(t *testing.T) keyslot.Slot{
		"file":   func(t *testing.T) keyslot.Slot { _, s := newFile(t); return s },
		"memory": func(*testing.T) keyslot.Slot { return &keyslot.Memory{Rand: rand.NewChaCha8([32]byte{6})} },
		"tpm":    func(t *testing.T) keyslot.Slot { return newTPM(t).slot },
	}
	for _, chip := range keyslot.I2CChips() {
		open["i2c "+chip] = func(t *testing.T) keyslot.Slot { return openI2C(t, newChip(chip), chip) }
	}
	for name, open := range open {
		t.Run(name, func(t *testing.T) {
			slot := open(t)
			keys := map[uint64][]byte{}
			for epoch := uint64(1); epoch < 6; epoch++ {
				next := make([]byte, keyslot.KeySize)
				if err := slot.Key(epoch, next); !errors.Is(err, keyslot.ErrNoKey) {
					t.Fatalf("epoch %d before its time: %v", epoch, err)
				}
				if err := slot.Next(epoch, next); err != nil {
					t.Fatal(err)
				}
				keys[epoch] = next
				if epoch > 1 {
					want(t, slot, epoch-1, keys[epoch-1]) // both live until the caller has committed
				}
				for range 2 { // repeating does no harm
					if err := slot.Retire(epoch); err != nil {
						t.Fatal(err)
					}
				}
				want(t, slot, epoch, next)
				want(t, slot, epoch+1, nil)
				if words, err := slot.Health(); err != nil || words == "" {
					t.Errorf("health: %q, %v", words, err)
				}
			}
			if bytes.Equal(keys[3], keys[5]) {
				t.Error("two epochs have the same key")
			}
			if err := slot.Destroy(); err != nil {
				t.Fatal(err)
			}
			want(t, slot, 5, nil)
			if slot.Promise() == "" {
				t.Error("the slot promises nothing")
			}
			if err := slot.Next(6, make([]byte, 16)); err == nil {
				t.Error("a key of half the size")
			}
		})
	}
}

func want(t *testing.T, slot keyslot.Slot, epoch uint64, key []byte) {
	t.Helper()
	got := make([]byte, keyslot.KeySize)
	err := slot.Key(epoch, got)
	if key == nil {
		if !errors.Is(err, keyslot.ErrNoKey) {
			t.Errorf("epoch %d: %v, want no key", epoch, err)
		}
	} else if err != nil || !bytes.Equal(got, key) {
		t.Errorf("epoch %d: another key than was made: %v", epoch, err)
	}
}

// One changed byte of the 16 KiB makes another key: destroying any part destroys it.
func TestEveryByteOfTheSeedCounts(t *testing.T) {
	path, slot := newFile(t)
	key, got := make([]byte, keyslot.KeySize), make([]byte, keyslot.KeySize)
	if err := slot.Next(1, key); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 1, 4095, 8000, 16383} {
		b := bytes.Clone(whole)
		b[4096+16384+i] ^= 0x10
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := slot.Key(1, got); err != nil || bytes.Equal(got, key) {
			t.Errorf("byte %d does not count: %v", i, err)
		}
	}
}

func TestFileOverwritesInPlace(t *testing.T) {
	path, slot := newFile(t)
	key := make([]byte, keyslot.KeySize)
	if err := slot.Next(1, key); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(slot.Next(2, key), slot.Retire(2)); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(path)
	if err != nil || !os.SameFile(before, after) {
		t.Error("the key file was replaced: the old key is still on the medium")
	}
	whole, _ := os.ReadFile(path)
	if !bytes.Equal(whole[4096+16384:], make([]byte, 16384)) {
		t.Error("the retired place is not empty")
	}
}

func TestFileFaults(t *testing.T) {
	for _, tc := range []struct {
		name   string
		damage func(path string) error
		says   string
	}{
		{"missing", os.Remove, "is missing"},
		{"short", func(p string) error { return os.Truncate(p, 100) }, "cut off"},
		{"too long", func(p string) error { return os.Truncate(p, 1<<20) }, "36864 belong"},
		{"group may read", func(p string) error { return os.Chmod(p, 0o640) }, "chmod 600"},
		{"a folder", func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o700)) }, "key file"},
		{"a link", func(p string) error { return errors.Join(os.Rename(p, p+"2"), os.Symlink(p+"2", p)) }, "opening the key file"},
		{"something else", func(p string) error { return os.WriteFile(p, make([]byte, 4096+2*16384), 0o600) }, "no key file"},
	} {
		path, _ := newFile(t)
		if err := tc.damage(path); err != nil {
			t.Fatal(err)
		}
		if _, err := keyslot.OpenFile(path, nil); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	path, _ := newFile(t)
	if _, err := keyslot.CreateFile(path, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("created over a key file: %v", err)
	}
}
