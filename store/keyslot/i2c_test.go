package keyslot_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"periph.io/x/conn/v3/i2c/i2ctest"
	"periph.io/x/conn/v3/physic"

	"github.com/tillprint/tillprint/store/keyslot"
)

// memoryChip is a memory on the bus: what the data sheets say about positions, pages and write cycles, and faults.
type memoryChip struct {
	address uint16
	wide    bool
	page    int
	cells   []byte

	busy      int           // transfers that are refused after each write
	refuse    int           // transfers still to be refused
	protected bool          // writes are taken and ignored
	power     int           // bytes that can be written before the power goes; below 0 for ever
	silent    chan struct{} // when set, transfers wait for it
}

var (
	errNAK      = errors.New("no acknowledgement")
	errPowerCut = errors.New("the power is gone")
)

func (m *memoryChip) String() string                  { return "bus" }
func (m *memoryChip) SetSpeed(physic.Frequency) error { return nil }

func (m *memoryChip) Tx(address uint16, w, r []byte) error {
	if m.silent != nil {
		<-m.silent
	}
	if m.refuse > 0 || address != m.address || m.power == 0 {
		m.refuse--
		return errNAK
	}
	at, w := int(w[0]), w[1:]
	if m.wide {
		at, w = at<<8|int(w[0]), w[1:]
	}
	for i, b := range w {
		if m.power == 0 {
			return errPowerCut
		}
		m.power--
		to := at + i
		if m.page > 0 { // a write that crosses a page comes back at its beginning
			to = at - at%m.page + (at%m.page+i)%m.page
		}
		if !m.protected {
			m.cells[to] = b
		}
	}
	if len(w) > 0 {
		m.refuse = m.busy
	}
	for i := range r {
		r[i] = m.cells[(at+i)%len(m.cells)]
	}
	return nil
}

var chipDoubles = map[string]memoryChip{
	"at24c32":   {address: 0x57, wide: true, page: 32, busy: 3, cells: make([]byte, 4096)},
	"at24c256":  {address: 0x50, wide: true, page: 64, busy: 2, cells: make([]byte, 32768)},
	"mb85rc256": {address: 0x50, wide: true, cells: make([]byte, 32768)},
	"ds3232":    {address: 0x68, cells: make([]byte, 256)},
	"mcp7940x":  {address: 0x6f, cells: make([]byte, 0x60)},
}

func newChip(name string) *memoryChip {
	m := chipDoubles[name]
	m.power = -1
	m.cells = bytes.Repeat([]byte{0xff}, len(m.cells))
	return &m
}

func openI2C(t testing.TB, m *memoryChip, name string) *keyslot.I2C {
	t.Helper()
	slot, err := keyslot.OpenI2C(m, rand.NewChaCha8([32]byte{7}), keyslot.I2COptions{Chip: name})
	if err != nil {
		t.Fatal(err)
	}
	return slot
}

// Every chip that the program knows has a double here, and nothing outside its two places is touched.
func TestI2CStaysInItsPlaces(t *testing.T) { synctest.Test(t, testI2CStaysInItsPlaces) }

func testI2CStaysInItsPlaces(t *testing.T) {
	first := map[string]int{"ds3232": 0x14, "mcp7940x": 0x20}
	for _, name := range keyslot.I2CChips() {
		m := newChip(name)
		slot := openI2C(t, m, name)
		key := make([]byte, keyslot.KeySize)
		for epoch := uint64(1); epoch < 4; epoch++ {
			if err := errors.Join(slot.Next(epoch, key), slot.Retire(epoch)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		outside := append(bytes.Clone(m.cells[:first[name]]), m.cells[first[name]+64:]...)
		if !bytes.Equal(outside, bytes.Repeat([]byte{0xff}, len(outside))) {
			t.Errorf("%s: bytes outside the two places have changed", name)
		}
		if !bytes.Equal(m.cells[first[name]:][:32], make([]byte, 32)) {
			t.Errorf("%s: the retired place is not empty", name)
		}
	}
}

// The messages on the wire, against the data sheet of the AT24C32: two bytes of position, at most a page of data.
func TestI2CMessages(t *testing.T) { synctest.Test(t, testI2CMessages) }

func testI2CMessages(t *testing.T) {
	record := &i2ctest.Record{Bus: newChip("at24c32")}
	slot, err := keyslot.OpenI2C(record, bytes.NewReader(make([]byte, 24)), keyslot.I2COptions{Chip: "at24c32"})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(slot.Next(1, make([]byte, keyslot.KeySize)), slot.Retire(1)); err != nil {
		t.Fatal(err)
	}
	place := append(append(make([]byte, 24), 0, 0, 0, 1), 0x05, 0xa2, 0x44, 0x6a)
	ones := bytes.Repeat([]byte{0xff}, 32)
	want := []i2ctest.IO{
		{Addr: 0x57, W: []byte{0, 0}, R: ones},                     // is it there?
		{Addr: 0x57, W: append([]byte{0, 32}, place...)},           // the next key, in one page
		{Addr: 0x57, W: []byte{0, 32}, R: place},                   // read back
		{Addr: 0x57, W: []byte{0, 0}, R: ones},                     // what is in the other place?
		{Addr: 0x57, W: append([]byte{0, 0}, make([]byte, 32)...)}, // overwrite it
		{Addr: 0x57, W: []byte{0, 0}, R: make([]byte, 32)},         // read back
	}
	if diff := cmp.Diff(want, record.Ops); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	// Played back, an empty place is not written again.
	again := &i2ctest.Playback{Ops: []i2ctest.IO{{Addr: 0x57, W: []byte{0, 0}, R: ones}, {Addr: 0x57, W: []byte{0, 0}, R: make([]byte, 32)}}}
	if slot, err = keyslot.OpenI2C(again, nil, keyslot.I2COptions{Chip: "at24c32"}); err == nil {
		err = slot.Retire(1)
	}
	if err = errors.Join(err, again.Close()); err != nil {
		t.Error(err)
	}
}

func TestI2CFaults(t *testing.T) { synctest.Test(t, testI2CFaults) }

func testI2CFaults(t *testing.T) {
	key := make([]byte, keyslot.KeySize)
	for _, tc := range []struct {
		name  string
		fault func(m *memoryChip)
		do    func(s *keyslot.I2C) error
		says  string
		is    error
	}{
		{"unplugged", func(m *memoryChip) { m.address = 1 }, func(s *keyslot.I2C) error { return s.Key(3, key) }, "is the module plugged in", errNAK},
		{"unplugged while writing", func(m *memoryChip) { m.address = 1 }, func(s *keyslot.I2C) error { return s.Next(4, key) }, "plugged in", errNAK},
		{"write-protected", func(m *memoryChip) { m.protected = true }, func(s *keyslot.I2C) error { return s.Next(4, key) }, "does not keep what is written", nil},
		{"protected against erasing", func(m *memoryChip) { m.cells[0], m.protected = 1, true }, func(s *keyslot.I2C) error { return s.Retire(3) }, "does not keep", nil},
		{"wrong data", func(m *memoryChip) { m.cells[32+5] ^= 1 }, func(s *keyslot.I2C) error { return s.Key(3, key) }, "no whole key", keyslot.ErrNoKey},
		{"battery ran out", func(m *memoryChip) { clear(m.cells) }, func(s *keyslot.I2C) error { return s.Key(3, key) }, "H16", keyslot.ErrNoKey},
		{"fresh chip", func(m *memoryChip) { copy(m.cells, bytes.Repeat([]byte{0xff}, 64)) }, func(s *keyslot.I2C) error { return s.Key(3, key) }, "H16", keyslot.ErrNoKey},
		{"old card", nil, func(s *keyslot.I2C) error { return s.Key(1, key) }, "keeps epoch 3", keyslot.ErrRolledBack},
		{"old chip", nil, func(s *keyslot.I2C) error { return s.Key(5, key) }, "keeps epoch 3 and not 5", keyslot.ErrNoKey},
		{"random source", nil, func(s *keyslot.I2C) error { return s.Next(1<<32, key) }, "out of range", nil},
	} {
		m := newChip("at24c32")
		slot := openI2C(t, m, "at24c32")
		if err := errors.Join(slot.Next(3, key), slot.Retire(3)); err != nil {
			t.Fatal(err)
		}
		if tc.fault != nil {
			tc.fault(m)
		}
		err := tc.do(slot)
		if err == nil || !strings.Contains(err.Error(), tc.says) || tc.is != nil && !errors.Is(err, tc.is) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	if _, err := keyslot.OpenI2C(newChip("ds3232"), nil, keyslot.I2COptions{Chip: "ds9999"}); err == nil || !strings.Contains(err.Error(), "ds3232") {
		t.Errorf("an unknown chip: %v", err)
	}
}

// A bus that never answers costs one limit, and is not touched again.
func TestI2CSilence(t *testing.T) { synctest.Test(t, testI2CSilence) }

func testI2CSilence(t *testing.T) {
	m := newChip("ds3232")
	m.silent = make(chan struct{})
	defer close(m.silent)
	_, err := keyslot.OpenI2C(m, nil, keyslot.I2COptions{Chip: "ds3232", Timeout: time.Millisecond})
	if !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("silence: %v", err)
	}
}

// The power goes after each byte of a wipe: one of the two keys opens, and the wipe can be done again.
func TestI2CTornWrites(t *testing.T) { synctest.Test(t, testI2CTornWrites) }

func testI2CTornWrites(t *testing.T) {
	for _, name := range []string{"at24c32", "ds3232"} {
		for bytesWritten := range 65 {
			m := newChip(name)
			slot := openI2C(t, m, name)
			old, next := make([]byte, keyslot.KeySize), make([]byte, keyslot.KeySize)
			if err := errors.Join(slot.Next(1, old), slot.Retire(1)); err != nil {
				t.Fatal(err)
			}
			m.power = bytesWritten
			committed := slot.Next(2, next) == nil
			if err := slot.Retire(2); err == nil {
				t.Fatalf("%s: retired although the power went after %d bytes", name, bytesWritten)
			}
			m.power, m.refuse = -1, 0
			slot = openI2C(t, m, name)
			if committed {
				want(t, slot, 2, next)
			} else {
				want(t, slot, 1, old)
				if bytesWritten < 32 {
					want(t, slot, 2, nil)
				}
				if err := slot.Next(2, next); err != nil {
					t.Fatal(err)
				}
			}
			if err := slot.Retire(2); err != nil {
				t.Fatal(err)
			}
			want(t, slot, 2, next)
			if err := slot.Key(1, old); !errors.Is(err, keyslot.ErrNoKey) {
				t.Errorf("%s: the old key lives: %v", name, err)
			}
		}
	}
}

// Whatever a chip holds, it gives a key only for a whole place of the epoch that is asked for.
func FuzzI2CCells(f *testing.F) {
	f.Add(make([]byte, 64), uint64(1))
	f.Add(bytes.Repeat([]byte{0xff}, 64), uint64(2))
	m := newChip("mcp7940x")
	slot := openI2C(f, m, "mcp7940x")
	if err := slot.Next(3, make([]byte, keyslot.KeySize)); err != nil {
		f.Fatal(err)
	}
	f.Add(m.cells[0x20:], uint64(3))
	f.Fuzz(func(t *testing.T, cells []byte, epoch uint64) {
		m := newChip("mcp7940x")
		copy(m.cells[0x20:], cells)
		slot := openI2C(t, m, "mcp7940x")
		if _, err := slot.Health(); err != nil {
			t.Error(err)
		}
		key := make([]byte, keyslot.KeySize)
		if err := slot.Key(epoch, key); err != nil && !errors.Is(err, keyslot.ErrNoKey) {
			t.Error(err)
		}
	})
}
