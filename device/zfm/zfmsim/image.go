package zfmsim

import (
	"slices"

	"github.com/tillprint/tillprint/device/zfm"
)

// capture takes the finger on the glass, or its trace if that fault is planned, into the image buffer.
// The caller holds mu, which is released while the sensor looks.
func capture(n *session, _ []byte) answer {
	seen := n.glass
	if seen == nil && n.last != nil && n.due(Latent) == Latent {
		seen = faint(n.last)
	}
	took := n.traits.empty
	if seen != nil {
		took = n.traits.capture
	}
	n.mu.Unlock()
	n.busy(took)
	n.mu.Lock()
	if seen == nil {
		return answer{code: zfm.NoFinger}
	}
	n.image = slices.Clone(seen)
	if n.options.Grain {
		n.grain(n.image)
	}
	n.emit(Event{Kind: Captured})
	return answer{}
}

// faint is the trace of a finger: the same ridges, nearly white.
func faint(packed []byte) []byte {
	trace := make([]byte, len(packed))
	for i, b := range packed {
		trace[i] = (12+b>>4/4)<<4 | (12 + b&15/4)
	}
	return trace
}

// grain changes about one pixel in sixteen by one level. The caller holds mu.
func (n *session) grain(packed []byte) {
	for i := range packed {
		switch r := n.rng.Uint32(); {
		case r%16 == 0 && packed[i]&15 < 15:
			packed[i]++
		case r%16 == 1 && packed[i]&15 > 0:
			packed[i]--
		}
	}
}

func upload(n *session, _ []byte) answer {
	if n.image == nil {
		return answer{code: zfm.NoImage}
	}
	return answer{image: true}
}

// upload sends the image buffer in data packets, the last one marked as the end. It reports whether the terminal is
// still there.
func (n *session) upload() bool {
	n.mu.Lock()
	image := n.image
	if size := n.options.SendBytes; size > 0 {
		image = append(slices.Clone(image[:min(size, len(image))]), make([]byte, max(0, size-len(image)))...)
	}
	contents := slices.Collect(slices.Chunk(image, 32<<n.flash.packet))
	fault := n.due(imageFaults...)
	at := n.rng.IntN(len(contents))
	if fault == DropPacket || fault == DuplicatePacket {
		at = n.rng.IntN(max(1, len(contents)-1)) // the end packet is the host's only sign of the end
	}
	n.mu.Unlock()
	for i, content := range contents {
		pid := zfm.Data
		if i == len(contents)-1 {
			pid = zfm.End
		}
		packet := n.packet(pid, content)
		if i == at {
			var whole bool
			if packet, whole = n.mishap(fault, packet); !whole {
				return n.send(packet)
			}
		}
		if !n.send(packet) {
			return false
		}
	}
	n.mu.Lock()
	n.emit(Event{Kind: ImageSent})
	n.mu.Unlock()
	return true
}

// mishap lets a fault happen to one packet of an image; whole is false when nothing follows it.
func (n *session) mishap(fault FaultKind, packet []byte) (sent []byte, whole bool) {
	switch fault {
	case DropPacket:
		return nil, true
	case DuplicatePacket:
		return append(packet, packet...), true
	case Pull:
		n.Unplug()
		return nil, false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if fault == CutOff {
		n.restart()
		return append(packet[:len(packet)/2], 0x00, 0x55), false
	}
	return n.damage(fault, packet), true
}
