package matcher

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/tillprint/tillprint/locked"
)

// The stored form, big-endian: "TM", version, quality, width, height (16 bits
// each), count, then per minutia x and y in sixteenths of a pixel, the angle in
// 2^-16 turns (16 bits each), kind and quality. That is all of version 1, which
// a template without flow still gets; in version 2 the flow follows, two cells a
// byte, the first in the high half.
const (
	storedPlain   = 1
	storedFlow    = 2
	storedHeader  = 9
	storedMinutia = 8
	storedSub     = 16      // steps in a pixel
	storedTurn    = 1 << 16 // steps in a full turn
	tau           = 2 * math.Pi
)

// MarshalBinary encodes t for the sealed store. Positions are rounded to 1/16
// pixel and angles to 2⁻¹⁶ turn; decoding and encoding again gives the same
// bytes. The caller owns, and clears, the result.
func (t *Template) MarshalBinary() ([]byte, error) {
	return t.AppendBinary(make([]byte, 0, storedHeader+storedMinutia*len(t.Minutiae)+(len(t.Flow)+1)/2))
}

// MaxEncoded is the most bytes that AppendBinary appends.
const MaxEncoded = storedHeader + storedMinutia*MaxMinutiae + (mostCells+1)/2

// AppendBinary is MarshalBinary into the caller's memory.
func (t *Template) AppendBinary(b []byte) ([]byte, error) {
	if err := t.Validate(); err != nil {
		return nil, fmt.Errorf("encode template: %w", err)
	}
	version := uint8(storedPlain)
	if len(t.Flow) > 0 {
		version = storedFlow
	}
	b = append(b, 'T', 'M', version, t.Quality)
	b = binary.BigEndian.AppendUint16(b, uint16(t.Width))
	b = binary.BigEndian.AppendUint16(b, uint16(t.Height))
	b = append(b, uint8(len(t.Minutiae)))
	for _, m := range t.Minutiae {
		b = binary.BigEndian.AppendUint16(b, storedPosition(m.X, t.Width))
		b = binary.BigEndian.AppendUint16(b, storedPosition(m.Y, t.Height))
		b = binary.BigEndian.AppendUint16(b, uint16(int(math.Round(float64(m.Angle)*storedTurn/tau))))
		b = append(b, uint8(m.Kind), m.Quality)
	}
	return packCells(b, t.Flow), nil
}

// storedPosition rounds v to the stored step, staying inside [0, side).
func storedPosition(v float32, side int) uint16 {
	return uint16(min(int(math.Round(float64(v)*storedSub)), side*storedSub-1))
}

// UnmarshalBinary replaces t by what MarshalBinary encoded, with minutiae and
// flow in locked memory until Clear. Anything else leaves t unchanged and gives
// an error that wraps ErrEncoding.
func (t *Template) UnmarshalBinary(b []byte) error {
	if len(b) < storedHeader || b[0] != 'T' || b[1] != 'M' {
		return fmt.Errorf("%w: no template header", ErrEncoding)
	}
	if b[2] != storedPlain && b[2] != storedFlow {
		return fmt.Errorf("%w: version %d, this program reads %d and %d", ErrEncoding, b[2], storedPlain, storedFlow)
	}
	n := int(b[8])
	flowAt := storedHeader + n*storedMinutia
	if len(b) < flowAt || b[2] == storedPlain && len(b) != flowAt {
		return fmt.Errorf("%w: %d bytes do not hold %d minutiae", ErrEncoding, len(b), n)
	}
	read := Template{
		Quality:  b[3],
		Width:    int(binary.BigEndian.Uint16(b[4:])),
		Height:   int(binary.BigEndian.Uint16(b[6:])),
		Minutiae: locked.Make[Minutia](n),
	}
	for i := range read.Minutiae {
		read.Minutiae[i] = decodeMinutia(b[storedHeader+i*storedMinutia:])
	}
	err := read.decodeFlow(b[flowAt:])
	if err == nil {
		err = read.Validate()
	}
	if err != nil {
		read.Clear()
		return fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	*t = read
	return nil
}

// decodeFlow reads the flow that follows the minutiae, if any does. What is left
// of the last byte is 0.
func (t *Template) decodeFlow(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	columns, rows := FlowSize(t.Width, t.Height)
	n := columns * rows
	if t.Width > MaxSide || t.Height > MaxSide || len(b) != (n+1)/2 || n%2 == 1 && b[len(b)-1]&15 != 0 {
		return fmt.Errorf("%w: %d bytes of flow for %d×%d pixels", ErrTemplate, len(b), t.Width, t.Height)
	}
	t.Flow = unpackCells(locked.Make[uint8](n)[:0], b, n)
	return nil
}

func decodeMinutia(b []byte) Minutia {
	return Minutia{
		X:       float32(binary.BigEndian.Uint16(b)) / storedSub,
		Y:       float32(binary.BigEndian.Uint16(b[2:])) / storedSub,
		Angle:   float32(float64(binary.BigEndian.Uint16(b[4:])) * tau / storedTurn),
		Kind:    Kind(b[6]),
		Quality: b[7],
	}
}
