package zfmsim

import (
	"fmt"
	"slices"

	"github.com/tillprint/tillprint/device/zfm"
)

// FaultKind is a way to fail.
type FaultKind string

// Faults of the next image's way over the wire; its place is drawn from the seed.
const (
	DropByte        FaultKind = "drop"             // one byte of a packet is lost
	DuplicateByte   FaultKind = "duplicate"        // one byte of a packet comes twice
	FlipBit         FaultKind = "flip"             // one bit of a packet is inverted
	DropPacket      FaultKind = "drop-packet"      // a whole data packet is lost: no checksum shows it
	DuplicatePacket FaultKind = "duplicate-packet" // a whole data packet comes twice
	CutOff          FaultKind = "cut-off"          // the module restarts in the middle of the image
	Pull            FaultKind = "pull"             // the cable is pulled in the middle of the image
)

// Faults of the next answer, whatever the command.
const (
	DropAck  FaultKind = "drop-ack"  // a byte of the acknowledgement is lost
	FlipAck  FaultKind = "flip-ack"  // a bit of the acknowledgement is inverted
	Silent   FaultKind = "silent"    // the command is carried out but not answered
	StaleAck FaultKind = "stale-ack" // an acknowledgement 01 comes before the real one
	OddCode  FaultKind = "odd-code"  // the answer is a confirmation code that no manual lists
	PowerUp  FaultKind = "power-up"  // the bytes 00 55 come before the answer
	Restart  FaultKind = "restart"   // the module restarts instead of answering: 00 55, password forgotten
	Forget   FaultKind = "forget"    // the module has restarted unheard: it asks for its password
	Hang     FaultKind = "hang"      // from now on no answer, until Replug
)

// Latent lets the next capture without a finger see the trace that the last one left on the glass.
const Latent FaultKind = "latent"

var (
	imageFaults  = []FaultKind{DropByte, DuplicateByte, FlipBit, DropPacket, DuplicatePacket, CutOff, Pull}
	answerFaults = []FaultKind{DropAck, FlipAck, Silent, StaleAck, OddCode, PowerUp, Restart, Forget, Hang}
)

// oddCode is a confirmation code that no manual lists.
const oddCode zfm.Code = 0xC7

// Faults lists all kinds.
func Faults() []FaultKind {
	return slices.Concat(imageFaults, answerFaults, []FaultKind{Latent})
}

// Fault is a failure that will happen, as often as Times says (0 means once), when there is next an occasion.
type Fault struct {
	Kind  FaultKind
	Times int
}

// Fault plans a failure. Several of one occasion happen one after the other, in the order planned.
func (s *Sim) Fault(f Fault) error {
	if !slices.Contains(Faults(), f.Kind) {
		return fmt.Errorf("no fault is called %q; there are %v", f.Kind, Faults())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for range max(f.Times, 1) {
		s.faults = append(s.faults, Fault{Kind: f.Kind})
	}
	return nil
}

// due takes the first planned fault that is among kinds. The caller holds mu.
func (s *Sim) due(kinds ...FaultKind) FaultKind {
	for i, f := range s.faults {
		if slices.Contains(kinds, f.Kind) {
			s.faults = slices.Delete(s.faults, i, i+1)
			s.emit(Event{Kind: Faulted, Fault: f.Kind})
			return f.Kind
		}
	}
	return ""
}

// damage applies a fault of single bytes to a packet. The caller holds mu.
func (s *Sim) damage(kind FaultKind, packet []byte) []byte {
	at := s.rng.IntN(len(packet))
	switch kind {
	case DropByte, DropAck:
		return slices.Delete(packet, at, at+1)
	case DuplicateByte:
		return slices.Insert(packet, at, packet[at])
	case FlipBit, FlipAck:
		packet[at] ^= 1 << s.rng.IntN(8)
	}
	return packet
}

// disturb applies Options.Noise to bytes on the wire. The caller holds mu.
func (s *Sim) disturb(sent []byte) []byte {
	n := s.options.Noise
	if n == (Noise{}) {
		return sent
	}
	var heard []byte
	for _, b := range sent {
		switch p := s.rng.Float64(); {
		case p < n.Drop:
			continue
		case p < n.Drop+n.Duplicate:
			heard = append(heard, b)
		case p < n.Drop+n.Duplicate+n.Flip:
			b ^= 1 << s.rng.IntN(8)
		}
		heard = append(heard, b)
	}
	return heard
}
