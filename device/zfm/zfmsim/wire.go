package zfmsim

import (
	"context"
	"time"

	"github.com/tillprint/tillprint/device/zfm"
)

// bitsPerByte on an 8N1 line: a start bit, eight of data, a stop bit.
const bitsPerByte = 10

// pace lets bytes take the time that they take at a rate. It reckons from the moment the line became busy, so that
// waking late from a sleep does not add up.
type pace struct {
	now   func() time.Time
	sleep func(time.Duration)
	free  time.Time // when the module will have done what it is at
}

// begin starts the reckoning anew: the line was idle until now.
func (p *pace) begin() {
	if now := p.now(); p.free.Before(now) {
		p.free = now
	}
}

// spend returns after n bytes have had their time at baud.
func (p *pace) spend(n, baud int) {
	p.wait(time.Duration(n) * bitsPerByte * time.Second / time.Duration(baud))
}

// wait returns when the module has been busy for d more.
func (p *pace) wait(d time.Duration) {
	p.free = p.free.Add(d)
	if left := p.free.Sub(p.now()); left > 0 {
		p.sleep(left)
	}
}

// session is one plugged-in time of the module. Only Run's goroutine uses it.
type session struct {
	*Sim
	ctx  context.Context
	tty  *terminal
	pace pace
	scan zfm.Scanner
}

// serve answers commands until the terminal is closed or ctx ends.
func (s *Sim) serve(ctx context.Context, tty *terminal) {
	defer context.AfterFunc(ctx, func() { tty.master.Close() })()
	n := &session{Sim: s, ctx: ctx, tty: tty, pace: pace{now: s.options.Now, sleep: s.options.Sleep}}
	n.pace.begin()
	n.send([]byte{0x00, 0x55}) // switched on
	buf := make([]byte, 512)
	for {
		got, err := tty.master.Read(buf)
		if err != nil {
			return
		}
		tty.allowReopening()
		n.hear(buf[:got])
		for p, ok := n.scan.Next(); ok; p, ok = n.scan.Next() {
			if !n.command(p) {
				return
			}
		}
	}
}

// hear takes bytes from the host: as they are, or as garbage when it sends at another rate.
func (n *session) hear(received []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.tty.hostBaud() != n.module.baud {
		n.garble(received)
	}
	n.scan.Write(received)
	if n.options.Paced {
		n.pace.begin()
		n.pace.spend(len(received), n.module.baud)
	}
}

// chunk is how many bytes leave at once when paced: under 3 ms at 115,200 baud.
const chunk = 32

// send puts bytes on the wire, disturbed by noise and garbled when the host listens at another rate.
// It reports whether the terminal is still there.
func (n *session) send(bytes []byte) bool {
	n.mu.Lock()
	baud := n.module.baud
	bytes = n.disturb(bytes)
	if n.tty.hostBaud() != baud {
		n.garble(bytes)
	}
	n.mu.Unlock()
	for len(bytes) > 0 {
		part := bytes
		if n.options.Paced {
			part = bytes[:min(chunk, len(bytes))]
			n.pace.spend(len(part), baud)
		}
		if _, err := n.tty.master.Write(part); err != nil || n.ctx.Err() != nil {
			return false
		}
		bytes = bytes[len(part):]
	}
	return true
}

// garble replaces bytes by others. The caller holds mu.
func (n *session) garble(bytes []byte) {
	for i := range bytes {
		bytes[i] = byte(n.rng.Uint32())
	}
}

// busy lets the module take time for something, when paced.
func (n *session) busy(d time.Duration) {
	if n.options.Paced {
		n.pace.wait(d)
	}
}
