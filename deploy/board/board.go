// Package board prepares the operating system of a Raspberry Pi for the
// terminal: the UART on the header for the sensor alone, with the console and
// Bluetooth moved away from it, I2C and SPI on for clock, memory and TPM.
//
// Plan says what would change and changes nothing; Apply does it. A system that
// is as it should be has an empty plan, so both may be repeated at will. The
// settings are those of Raspberry Pi's documentation, "config.txt" and
// "Configuring UARTs"; they take effect at the next boot.
package board

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxFile bounds a file that is read, in bytes: the firmware reads no longer one.
const maxFile = 1 << 20

// Change is what one file becomes.
type Change struct {
	Path   string // absolute, on the prepared system
	Before []byte // nil for a file that is not there yet
	After  []byte
	Mask   bool // the file is a link to /dev/null, by which systemd knows a unit that must not start
}

// ErrNoBoard says that this is no Raspberry Pi's system.
var ErrNoBoard = errors.New("there is no config.txt in /boot/firmware or /boot: this does not look like a Raspberry Pi's system")

// masked are the units that would use the UART: a login on it, and the old way of attaching Bluetooth.
var masked = []string{"serial-getty@serial0.service", "serial-getty@ttyAMA0.service", "serial-getty@ttyS0.service", "hciuart.service"}

// modules loads the driver behind /dev/i2c-*, which nothing else asks for.
const (
	modulesPath = "/etc/modules-load.d/tillprint.conf"
	modulesText = "# Written by 'tillprintd setup': the driver behind /dev/i2c-*.\ni2c-dev\n"
)

// Plan is what has to change on the system whose root folder is root.
func Plan(root string) ([]Change, error) {
	boot, err := bootFolder(root)
	if err != nil {
		return nil, err
	}
	var plan []Change
	for _, f := range []struct {
		path string
		edit func([]byte) []byte
	}{
		{boot + "/config.txt", editConfig},
		{boot + "/cmdline.txt", editCmdline},
		{modulesPath, func([]byte) []byte { return []byte(modulesText) }},
	} {
		before, err := read(filepath.Join(root, f.path))
		if err != nil {
			return nil, err
		}
		if after := f.edit(before); !bytes.Equal(before, after) {
			plan = append(plan, Change{Path: f.path, Before: before, After: after})
		}
	}
	for _, unit := range masked {
		path := "/etc/systemd/system/" + unit
		if target, err := os.Readlink(filepath.Join(root, path)); err != nil || target != os.DevNull {
			plan = append(plan, Change{Path: path, Mask: true})
		}
	}
	return plan, nil
}

// bootFolder is where the firmware's partition is mounted: /boot/firmware since Debian 12, /boot before.
func bootFolder(root string) (string, error) {
	for _, dir := range []string{"/boot/firmware", "/boot"} {
		if _, err := os.Stat(filepath.Join(root, dir, "config.txt")); err == nil {
			return dir, nil
		}
	}
	return "", ErrNoBoard
}

// read returns nil for a file that is not there.
func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking at the system: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("looking at the system: %w", err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s has more than %d bytes: it is not what the firmware reads", path, maxFile)
	}
	return text, nil
}

// Apply makes the changes on the system whose root folder is root. A cut of
// power leaves each file as it was or as it should be, and Plan finds the rest.
func Apply(root string, plan []Change) error {
	for _, c := range plan {
		if err := c.apply(filepath.Join(root, c.Path)); err != nil {
			return fmt.Errorf("changing %s: %w", c.Path, err)
		}
	}
	return nil
}

func (c Change) apply(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	fresh := path + ".tillprint-new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if c.Mask {
		if err := os.Symlink(os.DevNull, fresh); err != nil {
			return err
		}
	} else if err := writeSynced(fresh, c.After); err != nil {
		return err
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func writeSynced(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// SensorPort is the device of the header's UART on the board whose system has
// this root: /dev/serial0, except on a Pi 5, where that is the debug connector.
func SensorPort(root string) string {
	model, _ := os.ReadFile(filepath.Join(root, "/proc/device-tree/model"))
	for _, five := range []string{"Raspberry Pi 5", "Raspberry Pi Compute Module 5"} {
		if strings.HasPrefix(string(model), five) {
			return "/dev/ttyAMA0"
		}
	}
	return "/dev/serial0"
}
