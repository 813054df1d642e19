package terminal

import (
	"encoding/binary"
	"fmt"

	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/sync/register"
)

// A parcel is what a template envelope holds: all templates of one finger, as the matcher writes them.
//
//	1 byte    version, 1
//	1 byte    number of templates, 1 to store.MaxPerFinger
//	each      2 bytes length, big-endian, 1 to store.MaxTemplate; then the template
const parcelVersion = 1

// packParcel writes a parcel in locked memory. The caller frees it.
func packParcel(templates [][]byte) ([]byte, error) {
	size := 2
	for _, t := range templates {
		if len(t) == 0 || len(t) > store.MaxTemplate {
			return nil, fmt.Errorf("packing a finger: a template of %d bytes", len(t))
		}
		size += 2 + len(t)
	}
	if len(templates) == 0 || len(templates) > store.MaxPerFinger {
		return nil, fmt.Errorf("packing a finger: %d templates", len(templates))
	}
	b := append(locked.Make[byte](size)[:0], parcelVersion, byte(len(templates))) // never grows, so that no copy is left behind
	for _, t := range templates {
		b = binary.BigEndian.AppendUint16(b, uint16(len(t)))
		b = append(b, t...)
	}
	return b, nil
}

// openParcel reads a parcel. The templates point into it.
func openParcel(b []byte) ([][]byte, error) {
	bad := fmt.Errorf("%w: a parcel of templates", register.ErrMalformed)
	if len(b) < 2 || b[0] != parcelVersion || b[1] == 0 || int(b[1]) > store.MaxPerFinger {
		return nil, bad
	}
	count, b := int(b[1]), b[2:]
	var templates [][]byte
	for range count {
		if len(b) < 2 {
			return nil, bad
		}
		n := int(binary.BigEndian.Uint16(b))
		if n == 0 || n > store.MaxTemplate || len(b) < 2+n {
			return nil, bad
		}
		templates, b = append(templates, b[2:2+n:2+n]), b[2+n:]
	}
	if len(b) != 0 {
		return nil, bad
	}
	return templates, nil
}
