package update

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/filesystem/fat32"
	"golang.org/x/mod/sumdb/note"

	"github.com/tillprint/tillprint/deploy/flash"
	"github.com/tillprint/tillprint/deploy/release"
)

// Statement is the name of a bundle's release statement, beside its two files.
const Statement = "bundle.release"

// Card is where a terminal's card is found.
type Card struct {
	Partition func(number int) string // path of a partition
	Autoboot  string                  // path of autoboot.txt
	Running   Slot
	Sequence  uint64 // of the running version
}

// Errors of Check: the bundle is sound, but not for this terminal.
var (
	ErrOlder = errors.New("it is older than what runs here, and not signed to go back to")
	ErrSame  = errors.New("it runs here already")
	ErrTrial = errors.New("this version is on trial itself; wait until it is committed")
)

// Open reads the bundle's statement in dir and says whether this terminal takes it.
func (c Card) Open(dir string, key note.Verifier) (*release.Release, error) {
	statement, err := os.ReadFile(filepath.Join(dir, Statement))
	if err != nil {
		return nil, fmt.Errorf("reading the update: %w", err)
	}
	r, err := release.Open(statement, key)
	if err != nil {
		return nil, fmt.Errorf("reading the update: %w", err)
	}
	return r, c.takes(r)
}

func (c Card) takes(r *release.Release) error {
	refuse := func(why error) error { return fmt.Errorf("the update to version %s is not taken: %w", r.Version, why) }
	trial, err := c.OnTrial()
	switch {
	case err != nil:
		return err
	case r.Kind != release.Bundle:
		return refuse(errors.New("it is an image for a card, not an update"))
	case trial:
		return refuse(ErrTrial) // the other slot holds what a failure falls back to
	case r.Sequence == c.Sequence:
		return refuse(ErrSame)
	case r.Sequence < c.Sequence && !r.Downgrade:
		return refuse(ErrOlder)
	}
	return nil
}

// Install writes the bundle in dir into the slot that does not run, reads it back, and leaves the running slot committed.
// All of both files is checked before the first byte is written. It can be repeated after any failure.
func (c Card) Install(ctx context.Context, dir string, r *release.Release, step func(n int)) error {
	names := []string{release.RootFile, release.BootFile}
	for _, name := range names {
		f, err := r.File(name)
		if err != nil {
			return err
		}
		if err := f.Verify(filepath.Join(dir, name), nil); err != nil {
			return err
		}
	}
	to := c.Running.Other()
	if err := blank(c.Partition(to.boot())); err != nil {
		return fmt.Errorf("emptying slot %v: %w", to, err)
	}
	for i, number := range []int{to.root(), to.boot()} {
		f, err := r.File(names[i])
		if err != nil {
			return err
		}
		if err := write(ctx, c.Partition(number), filepath.Join(dir, names[i]), f, step); err != nil {
			return fmt.Errorf("writing %s into slot %v: %w", names[i], to, err)
		}
	}
	if err := c.name(to, dir); err != nil {
		return fmt.Errorf("naming slot %v: %w", to, err)
	}
	return nil
}

// blank takes the slot's boot partition away, so that a version of which half is overwritten cannot be tried.
func blank(partition string) error {
	device, _, err := flash.Open(partition)
	if err != nil {
		return err
	}
	_, err = device.WriteAt(make([]byte, 4096), 0)
	return errors.Join(err, device.Sync(), device.Close())
}

// write writes one packed file onto one partition.
func write(ctx context.Context, partition, path string, f release.File, step func(n int)) error {
	card, size, err := flash.Open(partition)
	if err != nil {
		return err
	}
	defer card.Close()
	if size < f.Unpacked.Size {
		return fmt.Errorf("%w: the slot has %s, %s are needed: this version needs a card that is flashed anew",
			flash.ErrTooSmall, flash.Bytes(size), flash.Bytes(f.Unpacked.Size))
	}
	image := flash.Image{Size: f.Unpacked.Size, Open: func() (io.ReadCloser, error) { return f.UnpackFile(path) }}
	return flash.Copy(ctx, card, image, step)
}

// name gives a slot's boot partition the command line of that slot, since a bundle carries both, and before it the signed
// statement of what was installed, which Tryable reads.
func (c Card) name(s Slot, dir string) (err error) {
	statement, err := os.ReadFile(filepath.Join(dir, Statement))
	if err != nil {
		return err
	}
	device, size, err := flash.Open(c.Partition(s.boot()))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, device.Close()) }()
	boot, err := fat32.Read(file.New(device, false), size, 0, 512)
	if err != nil {
		return err
	}
	text, err := get(boot, "cmdline-"+string(s)+".txt")
	if err != nil {
		return err
	}
	if got, err := Running(string(text)); err != nil || got != s {
		return errors.Join(fmt.Errorf("the bundle's command line is not slot %v's", s), err)
	}
	if err := put(boot, Statement, statement); err != nil {
		return err
	}
	return errors.Join(put(boot, "cmdline.txt", text), device.Sync())
}

// get reads a text, which the library fills up with zeros to the end of its last cluster.
func get(boot *fat32.FileSystem, name string) ([]byte, error) {
	text, err := boot.ReadFile(name)
	return bytes.TrimRight(text, "\x00"), err
}

func put(boot *fat32.FileSystem, name string, text []byte) error {
	to, err := boot.OpenFile("/"+name, os.O_CREATE|os.O_RDWR|os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, bytes.NewReader(text))
	return errors.Join(err, to.Close())
}

// OnTrial reports whether the running version is on trial: the next plain start would be the other slot's.
func (c Card) OnTrial() (bool, error) {
	committed, err := Committed(c.Autoboot)
	return err == nil && committed != c.Running, err
}

// This is the card of a terminal that was started from one. osRelease is the text of its os-release.
func This(cmdline, osRelease, start string) (Card, error) {
	s, err := Running(cmdline)
	if err != nil {
		return Card{}, err
	}
	sequence, err := sequenceOf(osRelease)
	if err != nil {
		return Card{}, err
	}
	return Card{
		Partition: func(n int) string { return fmt.Sprintf("/dev/tillprint/%d", n) },
		Autoboot:  filepath.Join(start, "autoboot.txt"), Running: s, Sequence: sequence,
	}, nil
}

func sequenceOf(osRelease string) (n uint64, err error) {
	for line := range strings.Lines(osRelease) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "TILLPRINT_SEQUENCE="); ok {
			if _, err := fmt.Sscan(value, &n); err != nil {
				return 0, fmt.Errorf("reading this version's sequence: %w", err)
			}
			return n, nil
		}
	}
	return 0, errors.New("this root does not say which version it is")
}
