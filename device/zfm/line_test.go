package zfm

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What the system says when a port cannot be opened, in our words; those that a test cannot bring about for real.
func TestOpenError(t *testing.T) {
	cases := []struct {
		from error
		is   error
		says string
	}{
		{unix.EACCES, fs.ErrPermission, "add the user that runs this program to the group dialout"},
		{unix.EBUSY, ErrBusy, "stop it (a serial console, or a second terminal daemon)"},
		{unix.ENXIO, fs.ErrNotExist, "connect the sensor"},
		{unix.EIO, unix.EIO, "opening the sensor at /dev/serial0: input/output error"},
	}
	for _, c := range cases {
		err := openError("/dev/serial0", c.from)
		if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v becomes %v", c.from, err)
		}
	}
}

// Three codes mean something else in each family; a number that nobody documented is told as a number.
func TestCodeMeaning(t *testing.T) {
	cases := []struct {
		code   Code
		family Family
		want   string
	}{
		{0x02, ZFM, "no finger (code 02)"},
		{0x22, ZFM, "residual finger (code 22)"},
		{0x22, R503, "template empty (code 22)"},
		{0x22, ZW, "template not empty (code 22)"},
		{0x24, ZFM, "duplicate (code 24)"},
		{0x22, Unknown, "unknown code (code 22)"},
		{0xFC, R503, "not supported (code FC)"},
		{0xFC, ZW, "unknown code (code FC)"},
	}
	for _, c := range cases {
		if got := c.code.Meaning(c.family); got != c.want {
			t.Errorf("%02X of %v: %s", byte(c.code), c.family, got)
		}
	}
}

// High nibble left, black 0, white 255.
func TestUnpack(t *testing.T) {
	pixels := make([]byte, 4)
	unpack(pixels, []byte{0x0F, 0x81})
	if want := [4]byte{0, 255, 136, 17}; [4]byte(pixels) != want {
		t.Errorf("got %v, want %v", pixels, want)
	}
}
