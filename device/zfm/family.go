package zfm

import (
	"context"
	"errors"
	"fmt"
)

// Family is a line of modules that share the meaning of the instructions from 0x28 up.
type Family uint8

// The families. R503 and ZW give different meanings to 31, 32, 35, 3C and 3D.
const (
	Unknown Family = iota // to be found out when the module is opened
	ZFM                   // ZFM-20, R305, R307, FPM10A, AS608: optical, the classic instructions
	R503                  // GROW R503 and its sisters: capacitive, ring light
	ZW                    // newer Synochip and Hi-Link modules, R558
)

var familyNames = [...]string{Unknown: "auto", ZFM: "zfm", R503: "r503", ZW: "zw"}

// String is the family's name in the config.
func (f Family) String() string {
	if int(f) < len(familyNames) {
		return familyNames[f]
	}
	return fmt.Sprintf("family %d", uint8(f))
}

// MarshalText writes the name used in the config.
func (f Family) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads "auto", "zfm", "r503" or "zw".
func (f *Family) UnmarshalText(b []byte) error {
	for i, name := range familyNames {
		if name == string(b) {
			*f = Family(i)
			return nil
		}
	}
	return fmt.Errorf("unknown sensor family %q: use auto, zfm, r503 or zw", b)
}

// templateSizeMin separates the two uses of word 1 of the system parameters: a small sensor number on ZFM and R503
// modules, the template's size in bytes on ZW modules.
const templateSizeMin = 0x0080

// detect finds the family without sending a number that means something else elsewhere: first by the system
// parameters, then by the firmware's name, which only an R503 tells and whose number nobody else uses, and last by the
// ZW's handshake, which as an R503's light command lacks all its parameters and is refused.
func (l *link) detect(ctx context.Context) error {
	switch id := l.parameters.SystemID; {
	case id >= templateSizeMin:
		l.info.Family = ZW
		return nil
	case id != 0:
		l.info.Family = ZFM
		return nil
	}
	// Asked repeatedly, lest one late answer make an R503 a ZFM.
	name, err := l.exchange(ctx, command{code: FirmwareName, reply: textBytes, wait: l.options.probe(), repeatable: true})
	if err == nil {
		l.info.Family, l.info.Firmware = R503, text(name)
		return nil
	}
	if !refusedOrSilent(err) {
		return err
	}
	_, err = l.exchange(ctx, command{code: ZWHandshake, wait: l.options.probe(), repeatable: true})
	switch {
	case err == nil:
		l.info.Family = ZW
	case refusedOrSilent(err):
		l.info.Family = ZFM
	default:
		return err
	}
	return nil
}

// refusedOrSilent tells an instruction that the module does not know from a failure of the line or the caller.
func refusedOrSilent(err error) bool {
	var code *CodeError
	return errors.As(err, &code) || errors.Is(err, ErrLine)
}
