package iso19794

import (
	"encoding/binary"
	"slices"

	"github.com/tillprint/tillprint/matcher"
)

// The block of the ridge flow in the extended data of a view (clause 7.6): type
// and length of the block, 16 bits each, then the side of a cell in pixels at
// 500 ppi, the directions told apart, columns and rows, a byte each, and what
// the type says for each cell, as matcher.Template explains it: its direction,
// a byte; behind all of these its ridges, a byte; or instead its word of the
// sketch, eight bytes. Types from 0x0100 are the vendors' own.
const (
	flowType   = 0x5446
	ridgesType = 0x5447
	sketchType = 0x5448
	blockBytes = 4
	flowHeader = blockBytes + 4
)

// bytesOf are the bytes a cell of a block of each type.
var bytesOf = map[uint16]int{flowType: 1, ridgesType: 2, sketchType: 9}

// blockType is that which holds most of what t has and fits into a block's
// length.
func blockType(t *matcher.Template) uint16 {
	switch cells := len(t.Flow); {
	case len(t.Sketch) > 0 && flowHeader+bytesOf[sketchType]*cells < 1<<16:
		return sketchType
	case len(t.Ridges) > 0:
		return ridgesType
	}
	return flowType
}

// appendFlow returns extended with flow and ridges of t at its end, if t has any.
func appendFlow(extended []byte, t *matcher.Template) []byte {
	if len(t.Flow) == 0 {
		return extended
	}
	columns, rows := matcher.FlowSize(t.Width, t.Height)
	kind := blockType(t)
	b := slices.Clone(extended) // the caller's array is not ours to write to
	b = binary.BigEndian.AppendUint16(b, kind)
	b = binary.BigEndian.AppendUint16(b, uint16(flowHeader+bytesOf[kind]*len(t.Flow)))
	b = append(b, matcher.FlowCell, matcher.FlowDirections, uint8(columns), uint8(rows))
	b = append(b, t.Flow...)
	switch kind {
	case ridgesType:
		b = append(b, t.Ridges...)
	case sketchType:
		for _, word := range t.Sketch {
			b = binary.BigEndian.AppendUint64(b, word)
		}
	}
	return b
}

// takeFlow moves flow and ridges from the end of the extended data to t, which
// has its size and minutiae. Anything else than those of that size stays where
// it is.
func (m *Meta) takeFlow(t *matcher.Template) {
	at := lastBlock(m.Extended)
	if at < 0 {
		return
	}
	block := m.Extended[at:]
	columns, rows := matcher.FlowSize(t.Width, t.Height)
	kind := binary.BigEndian.Uint16(block)
	if size, known := bytesOf[kind]; !known || len(block) != flowHeader+columns*rows*size ||
		[4]byte(block[blockBytes:]) != [4]byte{matcher.FlowCell, matcher.FlowDirections, uint8(columns), uint8(rows)} {
		return
	}
	readCells(t, kind, block[flowHeader:], columns*rows)
	if t.Validate() != nil {
		t.Flow, t.Ridges, t.Sketch = nil, nil, nil
		return
	}
	clear(block)
	m.Extended = m.Extended[:at:at]
	if at == 0 {
		m.Extended = nil
	}
}

// readCells gives t what a block of that type says of n cells.
func readCells(t *matcher.Template, kind uint16, b []byte, n int) {
	t.Flow = slices.Clone(b[:n])
	switch b = b[n:]; kind {
	case ridgesType:
		t.Ridges = slices.Clone(b)
	case sketchType:
		t.Ridges, t.Sketch = make([]uint8, n), make([]uint64, n)
		for i := range t.Sketch {
			t.Sketch[i] = binary.BigEndian.Uint64(b[8*i:])
			t.Ridges[i] = matcher.RidgesOf(t.Sketch[i])
		}
	}
}

// lastBlock is where the last block of an extended data area begins; -1 if the
// area does not consist of whole blocks.
func lastBlock(b []byte) int {
	last := -1
	for at := 0; at < len(b); {
		if len(b)-at < blockBytes {
			return -1
		}
		n := int(binary.BigEndian.Uint16(b[at+2:]))
		if n < blockBytes || n > len(b)-at {
			return -1
		}
		last, at = at, at+n
	}
	return last
}
