package zfm

import "encoding/binary"

// PID says what a packet is (ZFM-20 manual, section 5.1).
type PID byte

// The four kinds of packet. Data and End are never acknowledged, in either direction.
const (
	Command PID = 0x01 // host to module
	Data    PID = 0x02 // part of an image or page, more follow
	Ack     PID = 0x07 // module to host: confirmation code and its values
	End     PID = 0x08 // the last data packet
)

const (
	// DefaultAddress is the address of a module that was never given another one.
	DefaultAddress uint32 = 0xFFFFFFFF
	// MaxContent is the longest content accepted, in bytes. The manuals allow 256; some clones announce twice that.
	MaxContent = 512

	header      = 0xEF01
	headerBytes = 9 // EF 01, address, PID, length
	sumBytes    = 2
)

// Packet is one unit of the EF01 protocol: header EF 01, address, PID, length, content, checksum.
type Packet struct {
	Address uint32
	PID     PID
	Content []byte // at most MaxContent bytes
}

// Append encodes p at the end of dst, all values big-endian.
func (p Packet) Append(dst []byte) []byte {
	start := len(dst)
	dst = binary.BigEndian.AppendUint16(dst, header)
	dst = binary.BigEndian.AppendUint32(dst, p.Address)
	dst = append(dst, byte(p.PID))
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(p.Content)+sumBytes))
	dst = append(dst, p.Content...)
	return binary.BigEndian.AppendUint16(dst, checksum(dst[start+6:]))
}

// checksum adds PID, length and content modulo 65536; header and address are not part of it.
func checksum(b []byte) (sum uint16) {
	for _, v := range b {
		sum += uint16(v)
	}
	return sum
}
