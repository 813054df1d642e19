package crashtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Image is an ext4 file system in a file, mounted through a loop device as terminals mount theirs (data=ordered).
type Image struct {
	Path string // the raw image
	Dir  string // where it is mounted
}

// NewImage makes and mounts an image below dir. It needs root; the error says so otherwise.
func NewImage(dir string, bytes int64) (*Image, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("mounting an image needs root")
	}
	m := &Image{filepath.Join(dir, "card.img"), filepath.Join(dir, "card")}
	f, err := os.Create(m.Path)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Truncate(bytes), f.Close(), os.Mkdir(m.Dir, 0o700), run("mkfs.ext4", "-q", "-F", m.Path)); err != nil {
		return nil, err
	}
	return m, m.Mount()
}

// Mount mounts the image; ext4 replays its journal as after a power cut.
func (m *Image) Mount() error {
	return run("mount", "-t", "ext4", "-o", "loop,data=ordered", m.Path, m.Dir)
}

// Unmount writes everything to the raw image.
func (m *Image) Unmount() error { return run("umount", m.Dir) }

// Cut loses the page cache and the journal in memory, as a pulled plug does: EXT4_IOC_SHUTDOWN with NOLOGFLUSH.
func (m *Image) Cut() error {
	const shutdown, noLogFlush = 0x8004587d, 2 // linux/fs/ext4/ext4.h
	d, err := os.Open(m.Dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return unix.IoctlSetPointerInt(int(d.Fd()), shutdown, noLogFlush)
}

func run(name string, args ...string) error {
	if said, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, said)
	}
	return nil
}
