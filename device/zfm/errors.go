package zfm

import (
	"errors"
	"fmt"
)

// What callers decide on. Errors that a person will read say what to do next; errors.Is finds these inside them.
var (
	ErrNoFinger    = errors.New("no finger on the sensor")
	ErrBusy        = errors.New("serial port in use")
	ErrNotSerial   = errors.New("not a serial port")
	ErrNoModule    = errors.New("no fingerprint module answers")
	ErrPassword    = errors.New("module asks for another password")
	ErrUnplugged   = errors.New("sensor is gone")
	ErrLine        = errors.New("line to the sensor is silent or disturbed")
	ErrGeometry    = errors.New("module's image has an unexpected size")
	ErrUnsupported = errors.New("module cannot do this")
	ErrClosed      = errors.New("sensor was closed")
)

// GeometryError says that a module sent an image of another size than it declared, or of no known size.
// It wraps ErrGeometry.
type GeometryError struct {
	Width, Height int // declared or configured, in pixels; 0 when neither
	Bytes         int // received, two pixels each
}

func (e *GeometryError) Error() string {
	sent := fmt.Sprintf("%d bytes, the size of no known sensor", e.Bytes)
	if g, ok := geometryOf(e.Bytes); ok {
		sent = fmt.Sprintf("%d bytes, a %dx%d image", e.Bytes, g.Width, g.Height)
	}
	if e.Width == 0 {
		return "module sent " + sent + ": set the sensor's width and height in the config, or replace the module"
	}
	return fmt.Sprintf("module stands for %dx%d pixels but sent %s: correct the sensor's width and height in the config, or replace the module",
		e.Width, e.Height, sent)
}

func (e *GeometryError) Unwrap() error { return ErrGeometry }
