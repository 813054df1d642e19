// Package update replaces a terminal's kernel, firmware and root together, and takes nothing for good that has not proved
// itself.
//
// A card has two slots, each a boot partition (firmware, kernel, command line) and a root. One is committed: the Pi's
// firmware starts it, as autoboot.txt on the first partition says. An update is written into the other one, read back, and
// started once, by the firmware's one-shot "tryboot" flag. Only if the terminal then serves is autoboot.txt changed, by
// writing one sector. Whatever happens before that (a power cut at any moment, a kernel that hangs, a daemon that does not
// come up), the next start is the committed slot's.
package update

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Slot is A or B.
type Slot byte

// The two slots. Their names are those on the kernel's command line.
const (
	A Slot = 'a'
	B Slot = 'b'
)

// Other is the slot that is not s.
func (s Slot) Other() Slot {
	if s == A {
		return B
	}
	return A
}

func (s Slot) String() string { return strings.ToUpper(string(s)) }

// boot and root are the numbers of the slot's partitions.
func (s Slot) boot() int { return 2 + int(s-A) }
func (s Slot) root() int { return 5 + int(s-A) }

// autoboot is the whole of autoboot.txt when s is committed. Both have one length, and fit into a sector.
func (s Slot) autoboot() []byte {
	return fmt.Appendf(nil, `# Which slot the firmware starts. [tryboot] holds for one start only, after which [all] holds again by itself.
[all]
tryboot_a_b=1
boot_partition=%d
[tryboot]
boot_partition=%d
`, s.boot(), s.Other().boot())
}

// ErrAutoboot says that autoboot.txt is not as this package writes it.
var ErrAutoboot = errors.New("autoboot.txt is not as Tillprint writes it; flash the card again")

// Committed reads from autoboot.txt which slot the firmware starts.
func Committed(path string) (Slot, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("reading which slot is committed: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, 4096))
	if err != nil {
		return 0, fmt.Errorf("reading which slot is committed: %w", err)
	}
	for _, s := range []Slot{A, B} {
		if bytes.Equal(text, s.autoboot()) {
			return s, nil
		}
	}
	return 0, fmt.Errorf("reading which slot is committed: %w", ErrAutoboot)
}

// Commit makes the firmware start s from now on. It overwrites the file in place: the two texts differ in one sector, which a
// card writes whole or not at all, so that a power cut leaves one of the two, and never neither.
func Commit(path string, s Slot) error {
	if _, err := Committed(path); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_SYNC, 0)
	if err != nil {
		return fmt.Errorf("committing slot %v: %w", s, err)
	}
	_, err = file.WriteAt(s.autoboot(), 0)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("committing slot %v: %w", s, err)
	}
	if got, err := Committed(path); err != nil || got != s {
		return errors.Join(fmt.Errorf("committing slot %v: the card has not taken it", s), err)
	}
	return nil
}

// Running finds the running slot on the kernel's command line.
func Running(cmdline string) (Slot, error) {
	for _, word := range strings.Fields(cmdline) {
		if name, value, _ := strings.Cut(word, "="); name == "tillprint.slot" && (value == "a" || value == "b") {
			return Slot(value[0]), nil
		}
	}
	return 0, errors.New("this machine was not started from a card of Tillprint; use its package manager for updates")
}
