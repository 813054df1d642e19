package zfm

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Parameters reads the module's system block.
func (m *Module) Parameters(ctx context.Context) (p Parameters, err error) {
	err = m.do(ctx, func(ctx context.Context, l *link) error {
		p, err = l.readParameters(ctx)
		return err
	})
	return p, err
}

// TemplateCount is the number of templates in the module's own library. This driver stores none: whatever is there
// came from elsewhere.
func (m *Module) TemplateCount(ctx context.Context) (int, error) {
	b, err := m.ask(ctx, command{code: TemplateCount, reply: 2, repeatable: true})
	if err != nil {
		return 0, err
	}
	return int(b[0])<<8 | int(b[1]), nil
}

// Random returns a number from the module's random generator. Its quality is unknown: never use it alone for keys.
func (m *Module) Random(ctx context.Context) (uint32, error) {
	b, err := m.ask(ctx, command{code: RandomNumber, reply: 4, repeatable: true})
	if err != nil {
		return 0, err
	}
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]), nil
}

// Algorithm names the module's own matching algorithm (R503).
func (m *Module) Algorithm(ctx context.Context) (string, error) {
	b, err := m.ask(ctx, command{code: AlgorithmName, reply: textBytes, repeatable: true}, R503)
	return text(b), err
}

// CheckSensor asks the module to test its sensor (R503, ZW).
func (m *Module) CheckSensor(ctx context.Context) error {
	_, err := m.ask(ctx, command{code: CheckSensor, repeatable: true}, R503, ZW)
	return err
}

// Cancel ends an automatic sequence that another program left the module in (R503, ZW).
func (m *Module) Cancel(ctx context.Context) error {
	_, err := m.ask(ctx, command{code: CancelAuto, repeatable: true}, R503, ZW)
	return err
}

// StandBy puts the module to sleep until its touch line fires (ZW).
func (m *Module) StandBy(ctx context.Context) error {
	_, err := m.ask(ctx, command{code: StandBy}, ZW)
	return err
}

// ask runs one command, if the module is of one of the families given, or of any when none is.
func (m *Module) ask(ctx context.Context, c command, families ...Family) (reply []byte, err error) {
	err = m.do(ctx, func(ctx context.Context, l *link) error {
		if err := l.require(c.code.String(), families...); err != nil {
			return err
		}
		reply, err = l.exchange(ctx, c)
		return err
	})
	return reply, err
}

func (l *link) require(what string, families ...Family) error {
	for _, f := range families {
		if f == l.info.Family {
			return nil
		}
	}
	if len(families) == 0 {
		return nil
	}
	return fmt.Errorf("%s on a %v module: %w", what, l.info.Family, ErrUnsupported)
}

// Echo asks whether the module is alive, in the family's own way.
func (m *Module) Echo(ctx context.Context) error {
	return m.do(ctx, func(ctx context.Context, l *link) error {
		code := map[Family]Instruction{ZFM: Echo, R503: R503Handshake, ZW: ZWHandshake}[l.info.Family]
		_, err := l.exchange(ctx, command{code: code, repeatable: true})
		if code == Echo && (isCode(err, echoReply) || isCode(err, echoReplyClones)) {
			return nil // a ZFM answers with the echo where others say OK
		}
		if code == Echo && isCode(err, BadPacket) {
			return l.handshake(ctx) // a ZFM-20 lacks the instruction; that it refused shows that it lives
		}
		return err
	})
}

// SetBaud changes the module's rate, in its flash. If the module takes the new rate only after a power cycle, the line
// stays at the old one and Info says so.
func (m *Module) SetBaud(ctx context.Context, baud int) error {
	return m.do(ctx, func(ctx context.Context, l *link) error {
		if baud == l.baud {
			return nil
		}
		return l.changeBaud(ctx, baud)
	})
}

// SetPacketSize sets the content of data packets to 32, 64, 128 or 256 bytes, in the module's flash. Larger packets are
// a few percent faster and cost more when one is disturbed.
func (m *Module) SetPacketSize(ctx context.Context, bytes int) error {
	return m.do(ctx, func(ctx context.Context, l *link) error {
		for code := range 4 {
			if 32<<code != bytes {
				continue
			}
			_, err := l.exchange(ctx, command{code: SetParameter, parameters: []byte{parameterPacketSize, byte(code)}})
			if err == nil {
				l.parameters.PacketSize = bytes
			}
			return err
		}
		return fmt.Errorf("packets of %d bytes do not exist: use 32, 64, 128 or 256: %w", bytes, ErrUnsupported)
	})
}

// SoftReset restarts an R503 and finds it again, at its old or its newly set rate. What was in the image buffer is gone.
func (m *Module) SoftReset(ctx context.Context) error {
	return m.do(ctx, func(ctx context.Context, l *link) error {
		if err := l.require("soft reset", R503); err != nil {
			return err
		}
		return l.restart(ctx, l.baud, l.info.NextBaud)
	})
}

// restart resets an R503 and looks for it at the given rates; zero is none. The number of the instruction means
// something else on a ZW, so callers have checked the family.
func (l *link) restart(ctx context.Context, bauds ...int) error {
	if _, err := l.exchange(ctx, command{code: SoftRestart}); err != nil && !errors.Is(err, ErrLine) {
		return fmt.Errorf("restarting the module: %w", err)
	}
	l.verified = false
	var rates []int
	for _, b := range bauds {
		if b != 0 {
			rates = append(rates, b)
		}
	}
	if _, err := l.drain(ctx, l.options.probe(), time.Now().Add(l.options.Reply)); err != nil { // it starts in 50 ms
		return err
	}
	return l.find(ctx, rates...)
}
