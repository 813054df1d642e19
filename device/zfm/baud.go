package zfm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	fastBaud    = 115200 // the highest that any module of the protocol documents
	factoryBaud = 57600
	baudUnit    = 9600 // rates are multiples of it, 1 to 12
)

// searchBauds is the order in which a module is looked for: the rates that are used, then the rest that are legal.
var searchBauds = []int{fastBaud, factoryBaud, 9600, 19200, 38400, 28800, 48000, 76800, 67200, 86400, 96000, 105600}

// r503Bauds are the multiples of 9600 that an R503 takes (manual, page 11).
var r503Bauds = []int{1, 2, 4, 6, 12}

// find looks for the module at each rate in turn and leaves the line at the first where it answers.
// Each rate is asked twice: the first question may end in a half command that was sent at a wrong rate.
func (l *link) find(ctx context.Context, bauds ...int) error {
	for i, baud := range bauds {
		if slices.Contains(bauds[:i], baud) {
			continue
		}
		if err := l.setBaud(baud); err != nil {
			return err
		}
		for range 2 {
			if _, err := l.drain(ctx, 0, time.Now().Add(l.options.quiet())); err != nil {
				return err
			}
			err := l.handshake(ctx)
			if err == nil {
				l.info.Baud = baud
				return nil
			}
			if !errors.Is(err, ErrLine) && !isCode(err, BadPacket) {
				return err
			}
		}
	}
	return fmt.Errorf("%w on %s at %s baud: check its supply, that its TX goes to our RX and its RX to our TX, and that no serial console uses the port",
		ErrNoModule, l.path, joinInts(bauds))
}

// raise moves the module to the wanted rate, unless it was told so before and still waits for a power cycle: the rate
// is kept in the module's flash, which is not written again for nothing.
func (l *link) raise(ctx context.Context, baud int) error {
	if baud == l.baud {
		return nil
	}
	if int(l.parameters.BaudUnits)*baudUnit != baud {
		return l.changeBaud(ctx, baud)
	}
	return l.applyBaud(ctx, baud)
}

// changeBaud writes the rate. The acknowledgement comes at the old one; whether the new one holds at once or after a
// restart differs between modules and manuals, so the module is looked for at both.
func (l *link) changeBaud(ctx context.Context, baud int) error {
	units := baud / baudUnit
	legal := baud%baudUnit == 0 && units >= 1 && units <= 12
	if l.info.Family == R503 {
		legal = legal && slices.Contains(r503Bauds, units)
	}
	if !legal {
		return fmt.Errorf("a %v module has no rate of %d baud: use 57600 or 115200: %w", l.info.Family, baud, ErrUnsupported)
	}
	_, err := l.exchange(ctx, command{code: SetParameter, parameters: []byte{parameterBaud, byte(units)}})
	if err != nil && !errors.Is(err, ErrLine) { // a lost ack: look where the module is
		return fmt.Errorf("setting %d baud: %w", baud, err)
	}
	return l.applyBaud(ctx, baud)
}

// applyBaud looks for the module at the new and the old rate. An R503 takes the new one only when it restarts.
func (l *link) applyBaud(ctx context.Context, baud int) error {
	old := l.baud
	if err := l.find(ctx, baud, old); err != nil {
		return err
	}
	if l.baud != baud && l.info.Family == R503 {
		if err := l.restart(ctx, baud, old); err != nil {
			return err
		}
	}
	l.info.NextBaud = baud
	return nil
}

func joinInts(values []int) string {
	var words []string
	for i, v := range values {
		if !slices.Contains(values[:i], v) {
			words = append(words, strconv.Itoa(v))
		}
	}
	return strings.Join(words, ", ")
}
