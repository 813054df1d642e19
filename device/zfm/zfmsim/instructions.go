package zfmsim

import (
	"encoding/binary"

	"github.com/tillprint/tillprint/device/zfm"
)

// instruction is one entry of the firmware's table. run is called with mu held.
type instruction struct {
	parameters  int      // bytes that must come with it
	wrongLength zfm.Code // answer to another number of bytes
	run         func(n *session, p []byte) answer
}

// with makes an entry whose wrong length is answered as a packet that was not understood.
func with(parameters int, run func(*session, []byte) answer) instruction {
	return instruction{parameters: parameters, wrongLength: zfm.BadPacket, run: run}
}

var common = map[zfm.Instruction]instruction{
	zfm.CaptureImage:   with(0, capture),
	zfm.UploadImage:    with(0, upload),
	zfm.SetParameter:   with(2, setParameter),
	zfm.ReadParameters: with(0, func(n *session, _ []byte) answer { return answer{values: n.systemBlock()} }),
	zfm.VerifyPassword: with(4, verify),
	zfm.RandomNumber: with(0, func(n *session, _ []byte) answer {
		return answer{values: binary.BigEndian.AppendUint32(nil, n.rng.Uint32())}
	}),
	zfm.WriteNotepad: with(33, writeNotepad),
	zfm.ReadNotepad:  with(1, readNotepad),
	zfm.TemplateCount: with(0, func(n *session, _ []byte) answer {
		return answer{values: binary.BigEndian.AppendUint16(nil, uint16(n.templates))}
	}),
}

var byFamily = map[zfm.Family]map[zfm.Instruction]instruction{
	zfm.ZFM: {
		zfm.LightOn:      with(0, light),
		zfm.LightOff:     with(0, light),
		zfm.CaptureUnlit: with(0, capture),
		zfm.Echo:         with(0, func(*session, []byte) answer { return answer{code: 0x55} }),
	},
	zfm.R503: {
		zfm.CaptureImageEx: with(0, capture),
		zfm.CancelAuto:     with(0, done),
		zfm.AuraLight:      with(4, light),
		zfm.CheckSensor:    with(0, done),
		zfm.AlgorithmName:  with(0, text("simulated algorithm")),
		zfm.FirmwareName:   with(0, text("simulated firmware 1.0")),
		zfm.ProductInfo:    with(0, func(n *session, _ []byte) answer { return answer{values: n.productBlock()} }),
		zfm.SoftRestart:    with(0, softRestart),
		zfm.R503Handshake:  with(0, done),
	},
	zfm.ZW: {
		zfm.CancelAuto:  with(0, done),
		zfm.StandBy:     with(0, done),
		zfm.ZWHandshake: {parameters: 0, wrongLength: zfm.IllegalData, run: done},
		zfm.CheckSensor: with(0, done),
		zfm.ZWLight:     with(4, light),
	},
}

func done(*session, []byte) answer { return answer{} }

// text answers with a fixed field of 32 characters.
func text(s string) func(*session, []byte) answer {
	return func(*session, []byte) answer {
		field := make([]byte, 32)
		copy(field, s)
		return answer{values: field}
	}
}

func light(n *session, p []byte) answer {
	n.module.light = append([]byte{}, p...)
	return answer{}
}

func verify(n *session, p []byte) answer {
	if binary.BigEndian.Uint32(p) != n.options.Password {
		return answer{code: zfm.WrongPassword}
	}
	n.verified = true
	return answer{}
}

// setParameter acknowledges at the old rate; a model that takes the new one at once does so afterwards.
func setParameter(n *session, p []byte) answer {
	switch value := p[1]; {
	case p[0] == 4 && value >= 1 && value <= 12:
		n.flash.baud = 9600 * int(value)
		if n.traits.baudAtOnce {
			return answer{then: func() { n.module.baud = n.flash.baud }}
		}
	case p[0] == 6 && value <= 3:
		n.flash.packet = value
	case p[0] == 4 || p[0] == 6:
		return answer{code: 0x1B}
	default:
		return answer{code: zfm.BadRegister}
	}
	return answer{}
}

func softRestart(n *session, _ []byte) answer {
	return answer{then: func() {
		n.restart()
		n.mu.Unlock()
		n.send([]byte{0x55})
		n.mu.Lock()
	}}
}

func (n *session) page(p []byte) *zfm.NotepadPage {
	pages := len(n.notepad)
	if n.traits.family == zfm.ZW {
		pages = 4
	}
	if int(p[0]) >= pages {
		return nil
	}
	return &n.notepad[p[0]]
}

func readNotepad(n *session, p []byte) answer {
	page := n.page(p)
	if page == nil {
		return answer{code: zfm.BadPage}
	}
	return answer{values: page[:]}
}

func writeNotepad(n *session, p []byte) answer {
	page := n.page(p)
	if page == nil {
		return answer{code: zfm.BadPage}
	}
	copy(page[:], p[1:])
	return answer{}
}
