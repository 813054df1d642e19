package terminald

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"maps"
	"slices"
	"time"
)

// Pack writes the files as a compressed archive.
func (s Support) Pack(w io.Writer, now time.Time) error {
	z := gzip.NewWriter(w)
	t := tar.NewWriter(z)
	for _, name := range slices.Sorted(maps.Keys(s)) {
		h := &tar.Header{Name: "tillprint-support/" + name, Mode: 0o600, Size: int64(len(s[name])), ModTime: now}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if _, err := io.WriteString(t, s[name]); err != nil {
			return err
		}
	}
	return errors.Join(t.Close(), z.Close())
}
