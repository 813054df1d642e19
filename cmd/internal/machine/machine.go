// Package machine reads what the kernel tells about the board under a terminal:
// its temperature, whether it slows down for want of power or for heat, and how
// worn its card is. What a board does not tell is left out.
package machine

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// State is one reading. A nil field was not to be had.
type State struct {
	Celsius   *float64 // of the processor
	Throttled *uint64  // Raspberry Pi's bits: 0 undervoltage, 1 slowed, 2 throttled, 3 too hot; 16 to 19 the same at some time since the start
	Weak      *bool    // short of power right now; mainline's kernel tells that alone, where it has the driver
	Written   *uint64  // bytes written to the card since the start
	Faults    *uint64  // errors that the file systems have met, as they count them
	Worn      *uint64  // tenths of the card's life that are used up, by its own account (JEDEC eMMC 5.0); 11 is beyond its life; SD cards tell nothing
}

// Read reads below sys, which is /sys.
func Read(sys fs.FS) (s State) {
	if milli, ok := number(sys, "class/thermal/thermal_zone0/temp", 0, 10); ok {
		c := float64(milli) / 1000
		s.Celsius = &c
	}
	s.Throttled = pointer(number(sys, "devices/platform/soc/soc:firmware/get_throttled", 0, 16))
	s.Weak = weak(sys)
	if cards, _ := fs.Glob(sys, "block/mmcblk[0-9]"); len(cards) > 0 {
		const sector = 512 // bytes, always (Documentation/block/stat.rst)
		if n, ok := number(sys, cards[0]+"/stat", 6, 10); ok && n < 1<<54 {
			s.Written = pointer(n*sector, true)
		}
		s.Worn = pointer(number(sys, cards[0]+"/device/life_time", 0, 0))
	}
	counts, _ := fs.Glob(sys, "fs/ext4/*/errors_count")
	for _, name := range counts {
		if n, ok := number(sys, name, 0, 10); ok {
			if s.Faults == nil {
				s.Faults = new(uint64)
			}
			*s.Faults += n
		}
	}
	return s
}

// weak reads the alarm of mainline's driver for the firmware's voltage monitor (Documentation/hwmon/raspberrypi-hwmon.rst).
func weak(sys fs.FS) *bool {
	names, _ := fs.Glob(sys, "class/hwmon/hwmon*/name")
	for _, name := range names {
		if text, err := fs.ReadFile(sys, name); err != nil || strings.TrimSpace(string(text)) != "rpi_volt" {
			continue
		}
		if n, ok := number(sys, path.Join(path.Dir(name), "in0_lcrit_alarm"), 0, 10); ok {
			alarm := n != 0
			return &alarm
		}
	}
	return nil
}

// number is a field of a file's first line.
func number(sys fs.FS, name string, field, base int) (uint64, bool) {
	text, err := fs.ReadFile(sys, name)
	if err != nil {
		return 0, false
	}
	fields := strings.Fields(string(text))
	if len(fields) <= field {
		return 0, false
	}
	n, err := strconv.ParseUint(fields[field], base, 64)
	return n, err == nil
}

func pointer(n uint64, ok bool) *uint64 {
	if !ok {
		return nil
	}
	return &n
}

// Model is what the firmware calls the board, such as "Raspberry Pi 4 Model B Rev 1.4"; "" where it does not tell. sys is /sys.
func Model(sys fs.FS) string {
	text, err := fs.ReadFile(sys, "firmware/devicetree/base/model")
	if err != nil {
		return ""
	}
	name := strings.TrimRight(string(text), "\x00\n")
	return strings.ToValidUTF8(name[:min(len(name), 100)], "")
}
