package iso19794

import (
	"encoding/binary"
	"slices"

	"github.com/tillprint/tillprint/matcher"
)

// The ridge flow's block in the extended data of a view (clause 7.6): type and
// length of the block, 16 bits each, then the side of a cell in pixels at 500
// ppi, the directions told apart, columns and rows, a byte each, and a byte a
// cell, as matcher.FlowDirections explains them. Types from 0x0100 are the
// vendors' own.
const (
	flowType   = 0x5446
	blockBytes = 4
	flowHeader = blockBytes + 4
)

// appendFlow returns extended with the flow of t at its end, if t has one.
func appendFlow(extended []byte, t *matcher.Template) []byte {
	if len(t.Flow) == 0 {
		return extended
	}
	columns, rows := matcher.FlowSize(t.Width, t.Height)
	b := slices.Clone(extended) // the caller's array is not ours to write to
	b = binary.BigEndian.AppendUint16(b, flowType)
	b = binary.BigEndian.AppendUint16(b, uint16(flowHeader+len(t.Flow)))
	b = append(b, matcher.FlowCell, matcher.FlowDirections, uint8(columns), uint8(rows))
	return append(b, t.Flow...)
}

// takeFlow moves a flow from the end of the extended data to t, which has its
// size and minutiae. Anything else than a flow of that size stays where it is.
func (m *Meta) takeFlow(t *matcher.Template) {
	at := lastBlock(m.Extended)
	if at < 0 {
		return
	}
	block := m.Extended[at:]
	columns, rows := matcher.FlowSize(t.Width, t.Height)
	if len(block) != flowHeader+columns*rows || binary.BigEndian.Uint16(block) != flowType ||
		[4]byte(block[blockBytes:]) != [4]byte{matcher.FlowCell, matcher.FlowDirections, uint8(columns), uint8(rows)} {
		return
	}
	t.Flow = slices.Clone(block[flowHeader:])
	if t.Validate() != nil {
		t.Flow = nil
		return
	}
	clear(block)
	m.Extended = m.Extended[:at:at]
	if at == 0 {
		m.Extended = nil
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
