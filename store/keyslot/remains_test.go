package keyslot_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/locked/remains"
	"github.com/tillprint/tillprint/store/keyslot"
)

// I3: when the caller has given a root key back, nothing of it is left in this process's memory, nor of the seed behind it or of a half, however
// it was made, read back, read again and joined. What stands in for the chip and the hub keeps its own, once.
func TestI3SlotsLeaveNoKeyInMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped with -short: all of the memory is read")
	}
	file, path := fileSlot(t)
	local, localPath := fileSlot(t)
	chip := &memoryChip{address: 0x50, wide: true, cells: make([]byte, 1<<10), power: -1}
	module, err := keyslot.OpenI2C(chip, rand.Reader, keyslot.I2COptions{Chip: "mb85rc256"})
	if err != nil {
		t.Fatal(err)
	}
	hub := &keeper{}
	for name, c := range map[string]struct {
		slot    keyslot.Slot
		secrets func() [][]byte // behind the key, turned over
		kept    int             // how many of them the slot may know, and what stands in for something
	}{
		"file":  {file, func() [][]byte { return [][]byte{seedOf(t, path)} }, 0},
		"share": {keyslot.NewShare(local, hub), func() [][]byte { return [][]byte{seedOf(t, localPath), turnedCopy(hub.half)} }, 2},
		"i2c":   {module, func() [][]byte { return [][]byte{turnedCopy(chip.cells[32:][:24])} }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			key := locked.Make[byte](keyslot.KeySize)
			if err := c.slot.Next(1, key); err != nil {
				t.Fatal(err)
			}
			needles := [][]byte{turnedCopy(key)}
			if left(t, needles, 1) != 1 {
				t.Fatal("control: the key is not found where it lies, or twice")
			}
			locked.Free(key)
			needles = append(needles, c.secrets()...)
			again := locked.Make[byte](keyslot.KeySize)
			defer locked.Free(again)
			for _, use := range []func() error{
				func() error { return nil },
				func() error { return c.slot.Key(1, again) },
				func() error { return c.slot.Next(2, again) },
				func() error { _, err := c.slot.Health(); return err },
			} {
				if err := use(); err != nil {
					t.Fatal(err)
				}
				clear(again)
				if n := left(t, needles, c.kept); n > c.kept {
					t.Fatalf("%d pieces are left, %d may be", n, c.kept)
				}
			}
		})
	}
}

func fileSlot(t *testing.T) (slot *keyslot.File, path string) {
	path = filepath.Join(t.TempDir(), "root.key")
	slot, err := keyslot.CreateFile(path, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return slot, path
}

// seedOf is the beginning of the seed of epoch 1 in a key file.
func seedOf(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	seed := make([]byte, 32)
	if _, err := f.ReadAt(seed, 4096+16384); err != nil {
		t.Fatal(err)
	}
	return remains.Turned(seed)
}

func turnedCopy(b []byte) []byte { return remains.Turned(append([]byte(nil), b...)) }

func left(t *testing.T, needles [][]byte, kept int) int {
	t.Helper()
	n, err := remains.Left(needles, kept)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
