package keyslot

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"time"

	"periph.io/x/conn/v3/i2c"

	"github.com/tillprint/tillprint/locked"
)

// I2C is the slot in a small memory chip on the I²C bus: an EEPROM or FRAM, or the battery-backed memory of a clock.
// Such a chip has no translation layer that keeps old copies, so overwriting in place overwrites.
//
// It has two places of 32 bytes: 24 random bytes, the epoch (4 bytes, big-endian), and the CRC-32C of both. A place
// that holds only zeros, or only ones as delivered, is empty.
type I2C struct {
	bus     i2c.Bus
	address uint16
	chip    i2cChip
	name    string
	rand    io.Reader
	limit   time.Duration
	stuck   bool // a transfer never came back: the bus driver may still be using it
}

// I2COptions say which chip it is. Zero fields but Chip take the defaults.
type I2COptions struct {
	Chip    string        // one of I2CChips
	Address uint16        // 7 bits; as the chip is delivered
	Timeout time.Duration // for one transfer, or one write cycle; 2 s
}

const (
	i2cSeed    = 24
	i2cPlace   = i2cSeed + 4 + 4
	i2cTimeout = 2 * time.Second
)

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// OpenI2C looks whether the chip answers. There is nothing to create: Next writes what it needs over what it finds.
func OpenI2C(bus i2c.Bus, rand io.Reader, o I2COptions) (*I2C, error) {
	chip, err := findChip(o.Chip)
	if err != nil {
		return nil, err
	}
	s := &I2C{bus: bus, address: o.Address, chip: chip, name: o.Chip, rand: rand, limit: o.Timeout}
	if s.address == 0 {
		s.address = chip.address
	}
	if s.limit == 0 {
		s.limit = i2cTimeout
	}
	place, err := s.read(0)
	locked.Free(place)
	return s, err
}

// Key reads the place of epoch.
func (s *I2C) Key(epoch uint64, dst []byte) error {
	place, err := s.read(epoch)
	if err != nil {
		return err
	}
	defer locked.Free(place)
	if blank(place) {
		return fmt.Errorf("%s, epoch %d: %w: %s", s, epoch, ErrNoKey, whatToDo)
	}
	there, ok := parsePlace(place)
	switch {
	case !ok:
		return fmt.Errorf("%w: %s holds no whole key for epoch %d; its battery may have run out, or it is another chip: %s", ErrNoKey, s, epoch, whatToDo)
	case there > uint32(epoch):
		return fmt.Errorf("%w, %w: it asks for epoch %d, and %s keeps epoch %d: %s", ErrNoKey, ErrRolledBack, epoch, s, there, whatToDo)
	case there != uint32(epoch):
		return fmt.Errorf("%w: %s keeps epoch %d and not %d; it is another terminal's, or an old one: %s", ErrNoKey, s, there, epoch, whatToDo)
	}
	return derive(place[:i2cSeed], epoch, dst)
}

// parsePlace gives the epoch of a whole place.
func parsePlace(place []byte) (epoch uint32, ok bool) {
	if len(place) != i2cPlace {
		return 0, false
	}
	body := place[:i2cPlace-4]
	return binary.BigEndian.Uint32(body[i2cSeed:]), crc32.Checksum(body, crcTable) == binary.BigEndian.Uint32(place[i2cPlace-4:])
}

// blank reports whether a place was never written, or was erased.
func blank(place []byte) bool {
	ones := true
	for _, b := range place {
		ones = ones && b == 0xff
	}
	return ones || empty(place)
}

// Next fills the place that the current epoch does not use. A cut here leaves it without a valid checksum.
func (s *I2C) Next(epoch uint64, dst []byte) error {
	if epoch > 1<<32-1 {
		return fmt.Errorf("%s: epoch %d is out of range", s, epoch)
	}
	place := locked.Make[byte](i2cPlace)
	defer locked.Free(place)
	if _, err := io.ReadFull(s.rand, place[:i2cSeed]); err != nil {
		return fmt.Errorf("drawing a root key: %w", err)
	}
	binary.BigEndian.PutUint32(place[i2cSeed:], uint32(epoch))
	binary.BigEndian.PutUint32(place[i2cPlace-4:], crc32.Checksum(place[:i2cPlace-4], crcTable))
	if err := s.write(epoch, place); err != nil {
		return err
	}
	return derive(place[:i2cSeed], epoch, dst)
}

// Retire overwrites the place that epoch does not use, unless it is empty already.
func (s *I2C) Retire(epoch uint64) error { return s.erase(epoch + 1) }

// Destroy overwrites both places.
func (s *I2C) Destroy() error { return errors.Join(s.erase(0), s.erase(1)) }

func (s *I2C) erase(epoch uint64) error {
	place, err := s.read(epoch)
	if err != nil {
		return err
	}
	defer locked.Free(place)
	if empty(place) {
		return nil
	}
	return s.write(epoch, make([]byte, i2cPlace))
}

// Health reads both places and says what they hold.
func (s *I2C) Health() (words string, err error) {
	words = s.String()
	for n := range uint64(2) {
		place, err := s.read(n)
		if err != nil {
			return words, err
		}
		switch epoch, ok := parsePlace(place); {
		case blank(place):
			words += ", empty"
		case ok:
			words += fmt.Sprintf(", epoch %d", epoch)
		default:
			words += ", unreadable"
		}
		locked.Free(place)
	}
	return words, nil
}

// Promise is the row T2 of the design's table.
func (s *I2C) Promise() string {
	return "After a wipe, this card and the terminal's present keys cannot open the wiped template; " +
		"nor can laboratory reading of the card's chips, or a copy of the card made earlier. " +
		"Whether a laboratory could still read an overwritten key in the memory chip itself has not been tested."
}

// String names chip and address.
func (s *I2C) String() string {
	return fmt.Sprintf("memory chip %s at %#x on %s", s.name, s.address, s.bus)
}

func (s *I2C) at(epoch uint64) int { return s.chip.start + int(epoch%2)*i2cPlace }

// read gives the place of epoch in locked memory. The caller frees it.
func (s *I2C) read(epoch uint64) ([]byte, error) {
	place := locked.Make[byte](i2cPlace)
	if err := s.transfer(s.chip.position(s.at(epoch)), place); err != nil {
		locked.Free(place)
		return nil, fmt.Errorf("reading the %s: %w", s, err)
	}
	return place, nil
}

// write overwrites one place, page by page, and reads it back.
func (s *I2C) write(epoch uint64, place []byte) error {
	step := i2cPlace
	if s.chip.page > 0 {
		step = min(step, s.chip.page) // places begin at multiples of a page or halve one
	}
	for from := 0; from < len(place); from += step {
		message := locked.Append(locked.Append(nil, s.chip.position(s.at(epoch)+from)...), place[from:from+step]...)
		err := s.transfer(message, nil)
		locked.Free(message)
		if err != nil {
			return fmt.Errorf("writing the %s: %w", s, err)
		}
	}
	back, err := s.read(epoch)
	if err != nil {
		return err
	}
	defer locked.Free(back)
	if !bytes.Equal(back, place) {
		return fmt.Errorf("the %s does not keep what is written: it is write-protected, failing, or another kind of chip; check keyslot.i2c.chip, then replace the module", s)
	}
	return nil
}

// transfer repeats a message that the chip does not take, for as long as it may be busy writing the one before: it
// gives no acknowledgement until it is done.
func (s *I2C) transfer(w, r []byte) error {
	// Counted rather than timed: on a busy machine the time may pass without a single try.
	for tries := s.chip.cycle / time.Millisecond; ; tries-- {
		err := s.once(w, r)
		if err == nil || s.stuck || tries <= 0 {
			return err
		}
		time.Sleep(time.Millisecond)
	}
}

// once gives up waiting after the limit. The transfer itself cannot be called back, so it has buffers of its own, and the slot is
// not used again.
func (s *I2C) once(w, r []byte) error {
	if s.stuck {
		return fmt.Errorf("it did not answer before (%w): switch the terminal off and on", os.ErrDeadlineExceeded)
	}
	out, in := locked.Append(nil, w...), locked.Make[byte](len(r))
	done := make(chan error, 1)
	go func() { done <- s.bus.Tx(s.address, out, in) }()
	free := func() { locked.Free(out); locked.Free(in) }
	timer := time.NewTimer(s.limit)
	defer timer.Stop()
	select {
	case err := <-done:
		copy(r, in)
		free()
		if err != nil {
			return fmt.Errorf("%w: is the module plugged in, and are keyslot.i2c.bus and address right?", err)
		}
		return nil
	case <-timer.C:
		s.stuck = true
		go func() { <-done; free() }()
		return fmt.Errorf("it does not answer (%w): switch the terminal off and on; if it stays so, replace the module", os.ErrDeadlineExceeded)
	}
}
