package update

import (
	"errors"
	"fmt"

	"github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/filesystem/fat32"
	"golang.org/x/mod/sumdb/note"

	"github.com/tillprint/tillprint/deploy/flash"
	"github.com/tillprint/tillprint/deploy/release"
)

// Errors of Tryable beside those of Open.
var (
	ErrEmpty   = errors.New("no update was written into it completely; install one first")
	ErrUnknown = errors.New("nothing signed says which version it holds, as in a slot that was flashed and not installed; install the update again")
)

// Tryable says whether the slot that does not run can be started on trial, and which version it holds. It must be whole,
// and by its signed statement no older than what runs, unless it is signed to go back to: after a commit the other slot
// holds the version before. The running one must be committed, so that there is something to fall back to.
func (c Card) Tryable(key note.Verifier) (*release.Release, error) {
	to := c.Running.Other()
	r, err := c.tryable(to, key)
	if err != nil {
		return nil, fmt.Errorf("trying slot %v: %w", to, err)
	}
	return r, nil
}

func (c Card) tryable(to Slot, key note.Verifier) (*release.Release, error) {
	trial, err := c.OnTrial()
	switch {
	case err != nil:
		return nil, err
	case trial:
		return nil, ErrTrial
	}
	device, size, err := flash.Open(c.Partition(to.boot()))
	if err != nil {
		return nil, err
	}
	defer device.Close()
	// Install writes a partition's beginning last, and the slot's name after everything else.
	boot, err := fat32.Read(file.New(device, true), size, 0, 512)
	if err != nil {
		return nil, ErrEmpty
	}
	text, err := get(boot, "cmdline.txt")
	if err != nil {
		return nil, ErrEmpty
	}
	if got, err := Running(string(text)); err != nil || got != to {
		return nil, ErrEmpty
	}
	statement, err := get(boot, Statement)
	if err != nil {
		return nil, ErrUnknown
	}
	r, err := release.Open(statement, key)
	if err != nil {
		return nil, err
	}
	return r, c.takes(r)
}
