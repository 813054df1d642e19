package flash

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
)

// Cards sold as larger than they are keep their first gigabytes and let the rest vanish or wrap around to the beginning.
// Blocks of random bytes all over the card show that before an image that fits into the good part looks well. They lie a
// multiple of probeUnit apart, so that on a card that wraps around at any such multiple one comes to lie on another.
const (
	probeSize = 4096
	probeBase = 1 << 20   // of the first block
	probeUnit = 128 << 20 // doubled until maxProbes are enough
	maxProbes = 256
)

// Probe writes to places all over the card and reads them back. What was on it is lost.
func Probe(card Card, size int64) error {
	places := probePlaces(size)
	written := make([]byte, len(places)*probeSize)
	rand.Read(written) // never fails
	for i, place := range places {
		if _, err := card.WriteAt(written[i*probeSize:][:probeSize], place); err != nil {
			return explain("trying the card", err)
		}
	}
	if err := card.Sync(); err != nil {
		return explain("trying the card", err)
	}
	if err := forget(card); err != nil {
		return explain("trying the card", err)
	}
	got := make([]byte, probeSize)
	for i, place := range places {
		if _, err := card.ReadAt(got, place); err != nil && err != io.EOF {
			return explain("trying the card", err)
		}
		if !bytes.Equal(got, written[i*probeSize:][:probeSize]) {
			return fmt.Errorf("%w (tried at %s of %s)", ErrWorn, Bytes(place), Bytes(size))
		}
	}
	return nil
}

func probePlaces(size int64) []int64 {
	unit := int64(probeUnit)
	for size/unit > maxProbes {
		unit *= 2
	}
	var places []int64
	for at := int64(probeBase); at+2*probeSize <= size; at += unit {
		places = append(places, at)
	}
	return append(places, size-probeSize)
}
