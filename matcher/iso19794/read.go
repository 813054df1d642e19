package iso19794

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/tillprint/tillprint/matcher"
)

var magic = []byte("FMR\x00 20\x00")

// Unmarshal reads a record. Every length and coordinate is checked; whatever
// breaks a bound gives an error wrapping ErrRecord. Qualities above 100, which
// some writers use for "not computed", are read as 0, unknown. The caller
// clears the templates.
func Unmarshal(b []byte) ([]View, error) {
	if len(b) < headerBytes || !bytes.Equal(b[:len(magic)], magic) {
		return nil, fmt.Errorf("%w: it does not begin with FMR version 20", ErrRecord)
	}
	if n := binary.BigEndian.Uint32(b[8:]); uint64(n) != uint64(len(b)) {
		return nil, fmt.Errorf("%w: it states %d bytes and has %d", ErrRecord, n, len(b))
	}
	header := Meta{
		Equipment:      binary.BigEndian.Uint16(b[12:]),
		Width:          int(binary.BigEndian.Uint16(b[14:])),
		Height:         int(binary.BigEndian.Uint16(b[16:])),
		HorizontalPPCM: binary.BigEndian.Uint16(b[18:]),
		VerticalPPCM:   binary.BigEndian.Uint16(b[20:]),
	}
	if err := header.check(); err != nil {
		return nil, err
	}
	views := make([]View, 0, b[22])
	rest := b[headerBytes:]
	for i := range int(b[22]) {
		v, after, err := readView(header, rest)
		if err != nil {
			clearViews(views)
			return nil, fmt.Errorf("finger view %d: %w", i, err)
		}
		views, rest = append(views, v), after
	}
	if len(rest) != 0 {
		clearViews(views)
		return nil, fmt.Errorf("%w: %d bytes after the last view", ErrRecord, len(rest))
	}
	return views, nil
}

func clearViews(views []View) {
	for _, v := range views {
		v.Template.Clear()
	}
}

// readView reads one view from the start of b and returns what follows it.
func readView(header Meta, b []byte) (View, []byte, error) {
	if len(b) < viewBytes {
		return View{}, nil, fmt.Errorf("%w: it ends inside the view's header", ErrRecord)
	}
	meta := header
	meta.Finger, meta.Number, meta.Impression = b[0], b[1]>>4, b[1]&15
	quality, n := b[2], int(b[3])
	b = b[viewBytes:]
	if len(b) < n*minutiaBytes+lengthBytes {
		return View{}, nil, fmt.Errorf("%w: it ends inside %d minutiae", ErrRecord, n)
	}
	raw, b := b[:n*minutiaBytes], b[n*minutiaBytes:]
	extended := int(binary.BigEndian.Uint16(b))
	b = b[lengthBytes:]
	if len(b) < extended {
		return View{}, nil, fmt.Errorf("%w: it ends inside the extended data", ErrRecord)
	}
	if extended > 0 {
		meta.Extended = bytes.Clone(b[:extended])
	}
	if err := meta.check(); err != nil {
		return View{}, nil, err
	}
	t, err := readMinutiae(meta, raw)
	if err != nil {
		return View{}, nil, err
	}
	t.Quality = knownQuality(quality)
	meta.takeFlow(t)
	return View{meta, t}, b[extended:], nil
}

// readMinutiae turns the minutiae of one view into a template at 500 ppi.
func readMinutiae(meta Meta, b []byte) (*matcher.Template, error) {
	sx, sy := scale(meta.HorizontalPPCM), scale(meta.VerticalPPCM)
	t := &matcher.Template{
		Width:    int(math.Ceil(float64(meta.Width) * sx)),
		Height:   int(math.Ceil(float64(meta.Height) * sy)),
		Minutiae: make([]matcher.Minutia, 0, len(b)/minutiaBytes),
	}
	for ; len(b) > 0; b = b[minutiaBytes:] {
		x, y := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
		if x>>14 == 3 {
			t.Clear()
			return nil, fmt.Errorf("%w: a minutia of reserved type", ErrRecord)
		}
		t.Minutiae = append(t.Minutiae, matcher.Minutia{
			X:       float32(float64(x&maxSide) * sx),
			Y:       float32(float64(y&maxSide) * sy),
			Angle:   angleOf(b[4]),
			Kind:    matcher.Kind(x >> 14),
			Quality: knownQuality(b[5]),
		})
	}
	if err := t.Validate(); err != nil {
		t.Clear()
		return nil, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	return t, nil
}

func knownQuality(q uint8) uint8 {
	if q > 100 {
		return 0
	}
	return q
}
