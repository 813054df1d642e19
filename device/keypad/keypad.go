// Package keypad reads the pupil's keypad: a matrix of keys, rows and columns on pins of the board.
//
//	k := keypad.Open([]string{"GPIO5", "GPIO6", "GPIO13", "GPIO19"}, []string{"GPIO12", "GPIO16", "GPIO20"}, log)
//	go k.Run(ctx)
//	for r := range k.Keys() { ... } // '0' to '9', '*', '#', on a fourth column 'A' to 'D'
//
// A key is reported once, when it has been down steadily; with two or more down at once nothing is, since a matrix
// without diodes then shows keys that nobody touches. Keys are part of a PIN: none is ever logged.
package keypad

import (
	"context"
	"log/slog"
	"time"

	"periph.io/x/conn/v3/gpio"

	"github.com/tillprint/tillprint/device/panel"
)

const (
	// period is the time between two looks at the matrix.
	period = 5 * time.Millisecond
	// idlePeriod is that while no key is down: a person's shortest touch lasts twice as long.
	idlePeriod = 20 * time.Millisecond
	// steady is how many looks in a row must agree: contacts bounce for a few milliseconds.
	steady = 4
	// keysKept is how many keys wait for a reader; older ones are dropped, so that nobody's digits wait for the next.
	keysKept = 16
)

// layout is what is printed on the keys; a keypad of three columns lacks the letters.
var layout = [...]string{"123A", "456B", "789C", "*0#D"}

// none stands for no key, or for more than one.
const none rune = 0

// Keypad is a matrix of keys. Its fields belong to Run's goroutine.
type Keypad struct {
	rows, columns []gpio.PinIO
	keys          chan rune
	log           *slog.Logger
	failed        bool // a pin's failure was logged

	candidate rune // what the last looks saw
	looks     int  // how many of them in a row, up to steady
	down      rune // the key that is down as far as is known
}

// Open prepares a keypad of four rows and three or four columns, pins named from its top left corner. Without names, or
// when a pin is absent or cannot be used, which is logged, it returns nil: PINs are then keyed by staff.
func Open(rows, columns []string, log *slog.Logger) *Keypad {
	if len(rows) == 0 && len(columns) == 0 {
		return nil
	}
	if len(rows) != len(layout) || len(columns) < 3 || len(columns) > len(layout[0]) {
		log.Warn("a keypad has four rows and three or four columns; going on without it", "rows", len(rows), "columns", len(columns))
		return nil
	}
	k := &Keypad{rows: find(rows, log), columns: find(columns, log), keys: make(chan rune, keysKept), log: log}
	if k.rows == nil || k.columns == nil || !k.rest() {
		return nil
	}
	return k
}

// find returns the pins, nil if one is missing.
func find(names []string, log *slog.Logger) (pins []gpio.PinIO) {
	for _, name := range names {
		line := panel.Find(name, "keypad", log)
		if line == nil {
			return nil
		}
		pins = append(pins, line.PinIO)
	}
	return pins
}

// Keys delivers the keys pressed. Only the last sixteen wait for a reader.
func (k *Keypad) Keys() <-chan rune { return k.keys }

// Run reads the keypad until ctx ends. Its error is always nil.
func (k *Keypad) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			k.rest()
			return nil
		case <-timer.C:
		}
		timer.Reset(k.look())
	}
}

// look reads the matrix once and returns how long to wait for the next time.
func (k *Keypad) look() time.Duration {
	if k.down == none && k.candidate == none && !k.any() {
		return idlePeriod
	}
	seen := k.scan()
	if seen != k.candidate {
		k.candidate, k.looks = seen, 0
	}
	if k.looks++; k.looks == steady && seen != k.down {
		k.down = seen
		if seen != none {
			k.report(seen)
		}
	}
	k.looks = min(k.looks, steady)
	return period
}

// any reports whether any key is down, by driving all columns at once.
func (k *Keypad) any() bool {
	for _, c := range k.columns {
		k.check(c.Out(gpio.Low))
	}
	down := false
	for _, r := range k.rows {
		down = down || r.Read() == gpio.Low
	}
	k.rest()
	return down
}

// scan drives one column after the other and returns the one key that is down, none if there are none or several.
func (k *Keypad) scan() rune {
	found, count := none, 0
	for c, column := range k.columns {
		k.check(column.Out(gpio.Low))
		for r, row := range k.rows {
			if row.Read() == gpio.Low {
				found = rune(layout[r][c])
				count++
			}
		}
		k.check(column.In(gpio.PullUp, gpio.NoEdge))
	}
	if count != 1 {
		return none
	}
	return found
}

// rest makes all pins inputs. Columns are never driven high: two keys of a row would then short two columns.
// It reports whether the pins can be used.
func (k *Keypad) rest() bool {
	ok := true
	for _, pins := range [][]gpio.PinIO{k.rows, k.columns} {
		for _, p := range pins {
			ok = k.check(p.In(gpio.PullUp, gpio.NoEdge)) && ok
		}
	}
	return ok
}

// check logs the first failure of a pin.
func (k *Keypad) check(err error) bool {
	if err != nil && !k.failed {
		k.failed = true
		k.log.Warn("a pin of the keypad cannot be used", "err", err)
	}
	return err == nil
}

// report hands on a key, dropping the oldest when nobody reads.
func (k *Keypad) report(key rune) {
	for {
		select {
		case k.keys <- key:
			return
		default:
		}
		select {
		case <-k.keys:
		default:
		}
	}
}
