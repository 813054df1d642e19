// Package durable puts small files on a disk so that a power cut finds the old content or the new one, never a mixture.
//
// The order of calls is the whole content: write beside, fsync, rename, fsync of the folder. A rename without the last
// step may be undone by a cut long after it has returned. A key that must die is never written this way, since the old
// bytes stay on the medium: package keyslot overwrites it in place.
package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// ErrUnsettled says that the new content is in its place but that a power cut may still bring the old one back. Whoever
// relied on the old content being gone must not yet; replacing the file again settles it.
var ErrUnsettled = errors.New("the folder could not be made durable")

// SyncDir makes the names in a folder durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Replace writes b to path, readable by its owner only. A nil error means that b outlives every power cut; an
// error that wraps ErrUnsettled that either content may be found after one; any other error that path is as it was.
// What a cut leaves as path.new holds nothing that anybody relies on.
func Replace(path string, b []byte) error { return ReplaceWith(path, b, SyncDir) }

// ReplaceWith is Replace with another way to make a folder durable, for tests of a disk that fails there.
func ReplaceWith(path string, b []byte, syncDir func(dir string) error) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("%w: %w", ErrUnsettled, err)
	}
	return nil
}
