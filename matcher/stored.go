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
// byte, the first in the high half; in version 3 also the ridges, a byte for
// each cell of the flow that is not 0. A sketch is never stored.
const (
	storedPlain   = 1
	storedFlow    = 2
	storedRidges  = 3
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
	return t.AppendBinary(make([]byte, 0, storedHeader+storedMinutia*len(t.Minutiae)+(len(t.Flow)+1)/2+len(t.Ridges)))
}

// MaxEncoded is the most bytes that AppendBinary appends.
const MaxEncoded = storedHeader + storedMinutia*MaxMinutiae + (mostCells+1)/2 + mostCells

// AppendBinary is MarshalBinary into the caller's memory.
func (t *Template) AppendBinary(b []byte) ([]byte, error) {
	if err := t.Validate(); err != nil {
		return nil, fmt.Errorf("encode template: %w", err)
	}
	version := uint8(storedPlain)
	if len(t.Flow) > 0 {
		version = storedFlow
	}
	if len(t.Ridges) > 0 && count(t.Flow, 0) < len(t.Flow) {
		version = storedRidges
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
	b = packCells(b, t.Flow)
	for i, ridges := range t.Ridges {
		if t.Flow[i] != 0 {
			b = append(b, ridges)
		}
	}
	return b, nil
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
	if b[2] < storedPlain || b[2] > storedRidges {
		return fmt.Errorf("%w: version %d, this program reads %d to %d", ErrEncoding, b[2], storedPlain, storedRidges)
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
	err := read.decodeFlow(b[flowAt:], b[2] == storedRidges)
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

// decodeFlow reads the flow that follows the minutiae, if any does, and the
// ridges behind it, if withRidges says that there are. What is left of the
// flow's last byte is 0.
func (t *Template) decodeFlow(b []byte, withRidges bool) error {
	if len(b) == 0 && !withRidges {
		return nil
	}
	columns, rows := FlowSize(t.Width, t.Height)
	n := columns * rows
	packed := (n + 1) / 2
	if t.Width > MaxSide || t.Height > MaxSide || len(b) < packed || !withRidges && len(b) > packed || n%2 == 1 && b[packed-1]&15 != 0 {
		return fmt.Errorf("%w: %d bytes of flow for %d×%d pixels", ErrTemplate, len(b), t.Width, t.Height)
	}
	t.Flow = unpackCells(locked.Make[uint8](n)[:0], b, n)
	if !withRidges {
		return nil
	}
	if shown := n - count(t.Flow, 0); len(b) != packed+shown || shown == 0 {
		return fmt.Errorf("%w: %d bytes of ridges for %d cells that show any", ErrTemplate, len(b)-packed, shown)
	}
	t.Ridges = unpackRidges(locked.Make[uint8](n)[:0], t.Flow, b[packed:])
	return nil
}

// count is how many of cells have the value v.
func count(cells []uint8, v uint8) (n int) {
	for _, c := range cells {
		if c == v {
			n++
		}
	}
	return n
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
