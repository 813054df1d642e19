package zfm

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// command is one instruction with what the module's answer must look like.
type command struct {
	code       Instruction
	parameters []byte
	reply      int           // bytes after the confirmation code; shorter acks are strays from before
	wait       time.Duration // absolute deadline of one attempt; 0 means Options.Reply
	repeatable bool          // safe to send again when the answer was lost
}

// attempts is how often a repeatable command is sent before the line counts as broken.
const attempts = 3

// link is what the module's own goroutine knows and owns. Nothing outside that goroutine touches it.
type link struct {
	*line
	options    Options
	parameters Parameters // as last read from the module
	info       Info
	geometry   Geometry  // zero until declared, configured or learned from the first image
	verified   bool      // password accepted since the module's last restart
	lit        bool      // ZFM: the light was switched on by us, capture must leave it alone
	plain      bool      // R503: an old one without CaptureImageEx
	dirtyUntil time.Time // an upload was abandoned: its bytes may come until then
	owedUntil  time.Time // a command was abandoned: its ack may come until then
	image      []byte    // packed image being received, in locked memory; cleared after each upload
}

// exchange sends a command and returns what follows the confirmation code.
//
// A module that restarted or asks for its password is given it again. A repeatable command is repeated after silence or
// noise, and when that does not help the module is looked for at both usual rates, since after a power cut it may have
// come back at another one. A command that is not repeatable is sent once.
func (l *link) exchange(ctx context.Context, c command) ([]byte, error) {
	for i := 1; ; i++ {
		reply, err := l.attempt(ctx, c)
		if errors.Is(err, ErrLine) || isCode(err, BadPacket) {
			l.info.LineErrors++
		}
		switch {
		case err == nil:
			return reply, nil
		case isCode(err, PasswordNeeded) && i < attempts:
			l.verified = false
		case !c.repeatable || i > attempts || !(errors.Is(err, ErrLine) || isCode(err, BadPacket)):
			return nil, err
		case i == attempts:
			if isCode(err, BadPacket) {
				return nil, err
			}
			if err := l.find(ctx, l.baud, fastBaud, factoryBaud); err != nil {
				return nil, err
			}
		}
	}
}

// attempt clears the line, verifies the password if need be and sends the command once.
func (l *link) attempt(ctx context.Context, c command) ([]byte, error) {
	if err := l.clean(ctx); err != nil {
		return nil, err
	}
	if !l.verified && c.code != VerifyPassword {
		if err := l.handshake(ctx); err != nil {
			return nil, err
		}
	}
	return l.exchangeOnce(ctx, c)
}

// clean drops what arrived unasked: a late ack, the rest of an abandoned upload, power-up bytes. Acks do not say which
// command they answer, so the next command must not be sent before they are out of the way.
func (l *link) clean(ctx context.Context) error {
	for owed := time.Now().Before(l.owedUntil); owed; {
		p, err := l.next(ctx, l.owedUntil, l.options.Reply)
		if err != nil && !errors.Is(err, ErrLine) {
			return err
		}
		owed = err == nil && p.PID != Ack
	}
	var quiet time.Duration
	deadline := time.Now().Add(l.options.Reply)
	if time.Now().Before(l.dirtyUntil) {
		quiet, deadline = l.options.quiet(), l.dirtyUntil
	}
	wokeUp, err := l.drain(ctx, quiet, deadline)
	if err != nil {
		return err
	}
	l.dirtyUntil, l.owedUntil = time.Time{}, time.Time{}
	l.verified = l.verified && !wokeUp
	return nil
}

// handshake gives the module its password: also the best way to ask whether it is there.
func (l *link) handshake(ctx context.Context) error {
	_, err := l.exchangeOnce(ctx, command{code: VerifyPassword, parameters: be32(l.options.Password), wait: l.options.probe()})
	if err != nil {
		if errors.Is(err, ErrPassword) {
			return fmt.Errorf("%w: set the sensor's password in the config (%w)", ErrPassword, err)
		}
		return err
	}
	l.verified = true
	return nil
}

// exchangeOnce sends a command and waits for its answer until the deadline.
func (l *link) exchangeOnce(ctx context.Context, c command) ([]byte, error) {
	if c.wait == 0 {
		c.wait = l.options.Reply
	}
	packet := Packet{Address: l.options.Address, PID: Command, Content: append([]byte{byte(c.code)}, c.parameters...)}
	if err := l.send(packet.Append(nil)); err != nil {
		return nil, err
	}
	deadline := time.Now().Add(c.wait)
	ack, err := l.awaitAck(ctx, c, deadline)
	if err != nil {
		if ctx.Err() != nil {
			l.owedUntil = deadline
		}
		l.verified = false // it may have restarted: ask first whether it is there
		return nil, fmt.Errorf("%v: %w", c.code, err)
	}
	if code := Code(ack[0]); code != OK {
		return nil, &CodeError{Instruction: c.code, Code: code, Family: l.info.Family}
	}
	return ack[1:], nil
}

// awaitAck returns confirmation code and values. Acks from other addresses and too short ones are strays; BadPacket may
// be one too (some optical modules send it before the real answer), so after it the line is watched a little longer.
func (l *link) awaitAck(ctx context.Context, c command, deadline time.Time) ([]byte, error) {
	var stray []byte
	for {
		p, err := l.next(ctx, deadline, c.wait)
		if err != nil {
			if stray != nil && errors.Is(err, ErrLine) {
				return stray, nil
			}
			return nil, err
		}
		switch {
		case p.PID != Ack || p.Address != l.options.Address || len(p.Content) == 0:
		case Code(p.Content[0]) == OK && len(p.Content)-1 < c.reply:
		case Code(p.Content[0]) == BadPacket && stray == nil:
			stray = append([]byte{}, p.Content...)
			deadline = earlier(deadline, time.Now().Add(l.options.quiet()/4))
		default:
			return append([]byte{}, p.Content...), nil
		}
	}
}

func isCode(err error, code Code) bool {
	var e *CodeError
	return errors.As(err, &e) && e.Code == code
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
