package zfmsim

import (
	"encoding/binary"

	"github.com/tillprint/tillprint/device/zfm"
)

// answer is what the module does about a command.
type answer struct {
	code   zfm.Code
	values []byte
	image  bool // data packets with the image follow
	then   func()
}

// command carries out one packet from the host. It reports whether the terminal is still there.
func (n *session) command(p zfm.Packet) bool {
	if p.PID != zfm.Command || p.Address != zfm.DefaultAddress || len(p.Content) == 0 {
		return true
	}
	code, parameters := zfm.Instruction(p.Content[0]), p.Content[1:]
	n.mu.Lock()
	n.emit(Event{Kind: Commanded, Instruction: code})
	if n.hung {
		n.mu.Unlock()
		return true
	}
	fault := n.due(answerFaults...)
	n.hung = fault == Hang
	if fault == Restart || fault == Forget {
		n.restart()
	}
	var a answer
	if fault != Restart {
		a = n.obey(code, parameters)
	}
	n.mu.Unlock()
	if !n.acknowledge(a, fault) {
		return false
	}
	if a.image && fault != Silent && fault != OddCode && fault != Hang {
		return n.upload()
	}
	return true
}

// acknowledge sends the answer, as far as the fault lets it.
func (n *session) acknowledge(a answer, fault FaultKind) bool {
	content := append([]byte{byte(a.code)}, a.values...)
	ack := n.packet(zfm.Ack, content)
	switch fault {
	case Hang, Silent:
		ack = nil
	case Restart:
		ack = []byte{0x00, 0x55}
	case PowerUp:
		ack = append([]byte{0x00, 0x55}, ack...)
	case StaleAck:
		ack = append(n.packet(zfm.Ack, []byte{byte(zfm.BadPacket)}), ack...)
	case OddCode:
		ack = n.packet(zfm.Ack, []byte{byte(oddCode)})
	case DropAck, FlipAck:
		n.mu.Lock()
		ack = n.damage(fault, ack)
		n.mu.Unlock()
	}
	ok := n.send(ack)
	if a.then != nil && fault != Hang {
		n.mu.Lock()
		a.then()
		n.mu.Unlock()
	}
	return ok
}

func (n *session) packet(pid zfm.PID, content []byte) []byte {
	return zfm.Packet{Address: zfm.DefaultAddress, PID: pid, Content: content}.Append(nil)
}

// obey finds the instruction among those of the model. The caller holds mu.
func (n *session) obey(code zfm.Instruction, p []byte) answer {
	if code != zfm.VerifyPassword && !n.verified {
		return answer{code: zfm.PasswordNeeded}
	}
	if storing[code] {
		n.written++
		n.templates++
		n.emit(Event{Kind: LibraryWrite, Instruction: code})
		return answer{}
	}
	for _, table := range []map[zfm.Instruction]instruction{common, byFamily[n.traits.family]} {
		if i, ok := table[code]; ok {
			if len(p) != i.parameters {
				return answer{code: i.wrongLength}
			}
			return i.run(n, p)
		}
	}
	return answer{code: n.traits.lacking}
}

// restart is the firmware starting anew. The caller holds mu.
func (n *session) restart() {
	n.reset()
	n.emit(Event{Kind: Restarted})
}

// storing are the instructions that write templates, images or firmware into a module, or change what guards it. This
// module only counts them; a driver that sends one is broken.
var storing = map[zfm.Instruction]bool{
	0x06: true, // Store
	0x09: true, // DownChar
	0x0B: true, // DownImage
	0x0C: true, // DeletChar
	0x0D: true, // Empty
	0x10: true, // automatic enrolment of the AS608
	0x12: true, // SetPwd
	0x15: true, // SetAdder
	0x1A: true, // BurnCode
	0x31: true, // AutoEnroll
	0x3B: true, // factory reset
	0x54: true, // AutoLogin
}

// systemBlock is the reply to ReadSysPara. The caller holds mu.
func (n *session) systemBlock() []byte {
	id := n.traits.systemID
	if n.options.SystemID != 0 {
		id = uint16(max(n.options.SystemID, 0))
	}
	status := uint16(0)
	if n.image != nil {
		status = 8
	}
	b := binary.BigEndian.AppendUint16(nil, status)
	b = binary.BigEndian.AppendUint16(b, id)
	b = binary.BigEndian.AppendUint16(b, n.traits.capacity)
	b = binary.BigEndian.AppendUint16(b, 3)
	b = binary.BigEndian.AppendUint32(b, zfm.DefaultAddress)
	b = binary.BigEndian.AppendUint16(b, uint16(n.flash.packet))
	return binary.BigEndian.AppendUint16(b, uint16(n.flash.baud/9600))
}

// productBlock is the reply to ReadProdInfo of an R503, 46 bytes. The caller holds mu.
func (n *session) productBlock() []byte {
	z := n.traits.sensor
	width, height := z.Width, z.Height
	if n.options.DeclareWidth != 0 {
		width, height = n.options.DeclareWidth, n.options.DeclareHeight
	}
	b := make([]byte, 46)
	copy(b, z.Name)
	copy(b[16:], "0001")
	copy(b[20:], "SIMULATE")
	b[28], b[29] = 1, 2
	copy(b[30:], "SIM")
	binary.BigEndian.PutUint16(b[38:], uint16(width))
	binary.BigEndian.PutUint16(b[40:], uint16(height))
	binary.BigEndian.PutUint16(b[42:], 1536)
	binary.BigEndian.PutUint16(b[44:], n.traits.capacity)
	return b
}
