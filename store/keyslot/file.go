package keyslot

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/store/durable"
)

// File is the slot that needs no hardware: a file of two places of 16 KiB of random bytes. A key dies by being
// overwritten in place, twice, each followed by fsync and reading back. The usual write-new-and-rename would leave the old bytes
// on the medium.
//
// The file system must not copy data elsewhere: ext4 with data=ordered, never data=journal or a copy-on-write one.
type File struct {
	path string
	rand io.Reader
}

const fileMagic = "tillprint key slot 1\n"

// A page of its own keeps the places aligned with the blocks of the file system.
const (
	fileHeader = 4 << 10
	fileSize   = fileHeader + 2*seedSize
)

// CreateFile makes the key file with both places empty. It never touches a file that exists. A power cut leaves the
// whole file or none, and perhaps path.new, which holds no key and which the next call writes anew.
func CreateFile(path string, rand io.Reader) (*File, error) {
	whole := make([]byte, fileSize)
	copy(whole, fileMagic)
	if err := writeNew(path, whole); err != nil {
		return nil, fmt.Errorf("creating the key file: %w", err)
	}
	return &File{path, rand}, nil
}

// writeNew makes a file durable under a temporary name and only then gives it its own.
func writeNew(path string, b []byte) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := unix.Renameat2(unix.AT_FDCWD, path+".new", unix.AT_FDCWD, path, unix.RENAME_NOREPLACE); err != nil {
		return errors.Join(err, os.Remove(path+".new"))
	}
	return durable.SyncDir(filepath.Dir(path))
}

// OpenFile checks that path is a key file that nobody else may read. Each fault is one sentence that says what to do.
func OpenFile(path string, rand io.Reader) (*File, error) {
	s := &File{path, rand}
	f, err := s.open(os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	return s, f.Close()
}

// Key reads the place of epoch.
func (s *File) Key(epoch uint64, dst []byte) error {
	f, err := s.open(os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	seed := locked.Make[byte](seedSize)
	defer locked.Free(seed)
	if _, err := f.ReadAt(seed, place(epoch)); err != nil {
		return fmt.Errorf("reading the key file %s: %w", s.path, err)
	}
	if empty(seed) {
		return fmt.Errorf("key file %s, epoch %d: %w: %s", s.path, epoch, ErrNoKey, whatToDo)
	}
	return derive(seed, epoch, dst)
}

// Next fills the place that the current epoch does not use. A power cut here leaves that place half written; nothing
// is sealed under it yet, and the next call fills it anew.
func (s *File) Next(epoch uint64, dst []byte) error {
	seed := locked.Make[byte](seedSize)
	defer locked.Free(seed)
	if _, err := io.ReadFull(s.rand, seed); err != nil {
		return fmt.Errorf("drawing a root key: %w", err)
	}
	if err := s.overwrite(place(epoch), seed); err != nil {
		return err
	}
	return derive(seed, epoch, dst)
}

// Retire overwrites the place that epoch does not use, unless it is empty already.
func (s *File) Retire(epoch uint64) error {
	return s.erase(place(epoch + 1))
}

// Destroy overwrites both places.
func (s *File) Destroy() error {
	return errors.Join(s.erase(place(0)), s.erase(place(1)))
}

// Health reads both places and says which of them holds a key.
func (s *File) Health() (string, error) {
	f, err := s.open(os.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer f.Close()
	words := "key file " + s.path
	seed := locked.Make[byte](seedSize)
	defer locked.Free(seed)
	for n := range uint64(2) {
		if _, err := f.ReadAt(seed, place(n)); err != nil {
			return words, fmt.Errorf("reading the key file %s: %w", s.path, err)
		}
		if empty(seed) {
			words += ", empty"
		} else {
			words += ", a key"
		}
	}
	return words, nil
}

// Promise is the row T1 of the design's table.
func (s *File) Promise() string {
	return "After a wipe, this card and the terminal's present keys cannot open the wiped template. " +
		"Laboratory reading of the card's chips, or a copy of the card made earlier, is not covered."
}

func place(epoch uint64) int64 { return fileHeader + int64(epoch%2)*seedSize }

func (s *File) erase(at int64) error {
	f, err := s.open(os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	seed := locked.Make[byte](seedSize)
	defer locked.Free(seed)
	if _, err := f.ReadAt(seed, at); err != nil {
		return fmt.Errorf("reading the key file %s: %w", s.path, err)
	}
	if empty(seed) {
		return nil
	}
	// Twice, since a card may lie about one flush, and a key that comes back is worse than one more.
	for range 2 {
		if err := s.overwrite(at, make([]byte, seedSize)); err != nil {
			return err
		}
	}
	return nil
}

// overwrite writes one place, waits for the medium, and reads back past the page cache.
func (s *File) overwrite(at int64, seed []byte) error {
	f, err := s.open(os.O_RDWR)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt(seed, at)
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return fmt.Errorf("writing the key file %s: %w", s.path, durable.Advise(err))
	}
	// Only advice: where it is not taken, the bytes read back come from memory.
	_ = unix.Fadvise(int(f.Fd()), at, seedSize, unix.FADV_DONTNEED)
	back := locked.Make[byte](seedSize)
	defer locked.Free(back)
	if _, err := f.ReadAt(back, at); err != nil {
		return fmt.Errorf("reading back the key file %s: %w", s.path, err)
	}
	if !bytes.Equal(back, seed) {
		return fmt.Errorf("the key file %s does not keep what is written: the card is failing, replace it", s.path)
	}
	return nil
}

// open opens the key file after checking what it is. Symbolic links are refused, since they could lead the overwriting
// astray.
func (s *File) open(flag int) (*os.File, error) {
	f, err := os.OpenFile(s.path, flag|unix.O_NOFOLLOW, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the key file %s is missing (%w, %w): %s", s.path, ErrNoKey, err, whatToDo)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("opening the key file: %w: it belongs to another user; run as the user of the store, or give it back with chown", err)
	case err != nil:
		return nil, fmt.Errorf("opening the key file: %w", durable.Advise(err))
	}
	if err := s.inspect(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// foreign reports whether a file is neither of the user who runs this nor, for root, of the folder's owner.
func foreign(file fs.FileInfo, dir string) bool {
	of, ok := file.Sys().(*syscall.Stat_t)
	if !ok || int(of.Uid) == os.Geteuid() {
		return false
	}
	folder, err := os.Stat(dir)
	if err != nil || os.Geteuid() != 0 {
		return true
	}
	owner, ok := folder.Sys().(*syscall.Stat_t)
	return !ok || owner.Uid != of.Uid
}

func (s *File) inspect(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("opening the key file: %w", err)
	}
	switch {
	case !info.Mode().IsRegular():
		return fmt.Errorf("the key file %s is not a plain file: put the real one in its place", s.path)
	case foreign(info, filepath.Dir(s.path)):
		return fmt.Errorf("the key file %s belongs to another user, who can read it: give it back with chown to the owner of its folder, and tell the data protection officer", s.path)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("others may read the key file %s (mode %04o): run chmod 600 on it, and tell the data protection officer", s.path, info.Mode().Perm())
	case info.Size() != fileSize:
		return fmt.Errorf("%w: the key file %s has %d bytes where %d belong, so it is cut off or something else: %s", ErrNoKey, s.path, info.Size(), fileSize, whatToDo)
	}
	magic := make([]byte, len(fileMagic))
	if _, err := f.ReadAt(magic, 0); err != nil || string(magic) != fileMagic {
		return fmt.Errorf("%w: %s is no key file of this program: %s", ErrNoKey, s.path, whatToDo)
	}
	return nil
}
