package till

import (
	"errors"
	"io/fs"

	"github.com/tillprint/tillprint/device/zfm"
)

// losses are the reasons why a sensor cannot be used, each with what helps, to
// be said after "The sensor is".
var losses = []struct {
	err   error
	words string
}{
	{zfm.ErrUnplugged, "unplugged: push its plug in; it is tried again by itself"},
	{fs.ErrNotExist, "not there: connect it, or correct the port in the settings"},
	{fs.ErrPermission, "closed to this program: let its user open the port (group dialout)"},
	{zfm.ErrBusy, "used by another program: stop that one"},
	{zfm.ErrNotSerial, "not found: the port in the settings is no serial port; correct it"},
	{zfm.ErrPassword, "locked: set the password that it was given, or connect another one"},
	{zfm.ErrNoModule, "not answering: check its cable and power; it is tried again by itself"},
	{zfm.ErrGeometry, "sending pictures of a size that it does not have: name its size in the settings, or replace it"},
	{zfm.ErrUnsupported, "of a kind that cannot be used here: connect one that the manual names"},
}

// lossWords says what is wrong with a sensor and what helps.
func lossWords(err error) string {
	for _, l := range losses {
		if errors.Is(err, l.err) {
			return l.words
		}
	}
	return "not answering: it is tried again by itself; check its cable and power"
}
