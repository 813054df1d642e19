package disposal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// ours are the beginnings of the names of what a terminal keeps in its folder, set aside or not. Nothing else there is touched.
var ours = []string{"keytable", "records.db", "keyslot", "place.json", "reserve", "witness"}

// Overwrite writes random bytes over every file of a store in dir, in place, makes that durable, and removes it. It may be repeated
// after a power cut: what is gone is gone, and the rest follows. It returns how many files there were.
func Overwrite(dir string, random io.Reader) (int, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, fmt.Errorf("overwriting the store: %w", err)
	}
	n := 0
	for _, e := range entries {
		own := false
		for _, name := range ours {
			own = own || strings.HasPrefix(e.Name(), name)
		}
		if !own || !e.Type().IsRegular() {
			continue
		}
		if err := overwrite(filepath.Join(dir, e.Name()), random); err != nil {
			return n, fmt.Errorf("overwriting the store: %w", err)
		}
		n++
	}
	d, err := os.Open(dir)
	if err != nil {
		return n, fmt.Errorf("overwriting the store: %w", err)
	}
	return n, errors.Join(d.Sync(), d.Close())
}

func overwrite(path string, random io.Reader) error {
	f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		_, err = io.CopyN(f, random, info.Size())
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Remove(path)
}
