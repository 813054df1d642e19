package panel

import (
	"log/slog"
	"strings"
	"sync"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"
	"periph.io/x/host/v3"
)

// Line is one pin of the board with the level that counts as active.
type Line struct {
	gpio.PinIO
	activeLow bool
}

// initHost finds the board's pins, once. On a board without any it finds none and that is no error.
var initHost = sync.OnceValue(func() error {
	_, err := host.Init()
	return err
})

// Find returns the pin of that name, nil if the name is empty or the board has no such pin, which is logged once with
// the purpose it was meant for. A leading "!" makes the line active when low.
func Find(name, purpose string, log *slog.Logger) *Line {
	if name == "" {
		return nil
	}
	err := initHost()
	bare, low := strings.CutPrefix(name, "!")
	pin := gpioreg.ByName(bare)
	if pin == nil {
		log.Warn("this board has no such pin; going on without it", "pin", bare, "for", purpose, "err", err)
		return nil
	}
	return &Line{PinIO: pin, activeLow: low}
}
