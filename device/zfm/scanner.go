package zfm

import (
	"bytes"
	"encoding/binary"
)

// Scanner finds packets in a stream of bytes that may hold anything: power-up bytes, half packets, noise.
//
// It looks for EF 01, then address, PID, a length within bounds, the content and a right checksum. Whatever does not
// fit is skipped: after a wrong length or checksum it goes on two bytes later, right behind the header that misled it,
// so that a good packet inside a broken one is still found. It never waits for more than one packet's worth of bytes.
//
// Write bytes, then call Next until it reports false. The zero value is ready to use.
type Scanner struct {
	buf     []byte // bytes received; buf[pos:] are not yet consumed
	pos     int
	skipped int
	wokeUp  bool
}

// wakeByte is what R503 and ZFM modules send, naked, when they are up (R503 manual, page 3).
const wakeByte = 0x55

// scannerBytes holds an unfinished packet and one read of the port, so that the buffer does not move in use.
const scannerBytes = 8192

// Write takes bytes from the line. It never fails.
func (s *Scanner) Write(p []byte) (int, error) {
	if s.buf == nil {
		s.buf = make([]byte, 0, scannerBytes)
	}
	kept := copy(s.buf, s.buf[s.pos:])
	clear(s.buf[kept:]) // image bytes do not linger
	s.buf, s.pos = append(s.buf[:kept], p...), 0
	return len(p), nil
}

// Next returns the next packet with a right checksum, or false when it needs more bytes.
// The content is valid until the next Write or Reset.
func (s *Scanner) Next() (Packet, bool) {
	for {
		s.skipToHeader()
		rest := s.buf[s.pos:]
		if len(rest) < headerBytes {
			return Packet{}, false
		}
		length := int(binary.BigEndian.Uint16(rest[7:]))
		if !PID(rest[6]).known() || length < sumBytes || length > MaxContent+sumBytes {
			s.skip(2)
			continue
		}
		end := headerBytes + length
		if len(rest) < end {
			return Packet{}, false
		}
		if checksum(rest[6:end-sumBytes]) != binary.BigEndian.Uint16(rest[end-sumBytes:]) {
			s.skip(2)
			continue
		}
		s.pos += end
		return Packet{
			Address: binary.BigEndian.Uint32(rest[2:]),
			PID:     PID(rest[6]),
			Content: rest[headerBytes : end-sumBytes],
		}, true
	}
}

// Skipped is the number of bytes thrown away since the last Reset: zero on a clean line.
func (s *Scanner) Skipped() int { return s.skipped }

// WokeUp reports whether a power-up byte (0x55) was among the bytes skipped since the last Reset.
func (s *Scanner) WokeUp() bool { return s.wokeUp }

// Reset forgets and clears everything received.
func (s *Scanner) Reset() {
	clear(s.buf[:cap(s.buf)])
	*s = Scanner{buf: s.buf[:0]}
}

// skipToHeader drops bytes until the rest begins with EF 01, or with what may become it.
func (s *Scanner) skipToHeader() {
	for s.pos < len(s.buf) {
		i := bytes.IndexByte(s.buf[s.pos:], header>>8)
		if i < 0 {
			s.skip(len(s.buf) - s.pos)
			return
		}
		s.skip(i)
		if s.pos+1 == len(s.buf) || s.buf[s.pos+1] == header&0xFF {
			return
		}
		s.skip(1)
	}
}

func (s *Scanner) skip(n int) {
	dropped := s.buf[s.pos : s.pos+n]
	s.wokeUp = s.wokeUp || bytes.IndexByte(dropped, wakeByte) >= 0
	s.skipped += n
	s.pos += n
}

func (p PID) known() bool {
	return p == Command || p == Data || p == Ack || p == End
}
