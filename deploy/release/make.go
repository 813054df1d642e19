package release

import (
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// Pack writes what from holds into the file path, packed, and returns what a
// statement says about it. name is the file's name in the statement.
func Pack(path, name string, from io.Reader) (f File, err error) {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o644)
	if err != nil {
		return File{}, fmt.Errorf("packing %s: %w", name, err)
	}
	defer func() {
		if e := out.Close(); err == nil {
			err = e
		}
	}()
	z, err := zstd.NewWriter(out, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithWindowSize(8<<20), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return File{}, fmt.Errorf("packing %s: %w", name, err)
	}
	f.Name = name
	if f.Unpacked, err = Measure(io.TeeReader(from, z)); err != nil {
		return File{}, fmt.Errorf("packing %s: %w", name, err)
	}
	if err := z.Close(); err != nil {
		return File{}, fmt.Errorf("packing %s: %w", name, err)
	}
	if _, err := out.Seek(0, io.SeekStart); err != nil {
		return File{}, fmt.Errorf("packing %s: %w", name, err)
	}
	f.Packed, err = Measure(out)
	return f, err
}
