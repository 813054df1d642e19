package release

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Errors about a file that is not what its statement says.
var (
	ErrCutShort = errors.New("it is cut short")
	ErrTooLong  = errors.New("it is longer than it was released")
	ErrAltered  = errors.New("it was altered")
)

// maxWindow bounds what unpacking may take of memory, in bytes.
const maxWindow = 32 << 20

// Measure reads r to its end.
func Measure(r io.Reader) (Sum, error) {
	h := sha256.New()
	n, err := io.Copy(h, r)
	return Sum{n, hex.EncodeToString(h.Sum(nil))}, err
}

// Verify reads the file f at path and compares it with what was released. seen,
// which may be nil, is written everything that was read, for progress.
func (f File) Verify(path string, seen io.Writer) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading %s: %w", f.Name, err)
	}
	defer file.Close()
	if seen == nil {
		seen = io.Discard
	}
	sum, err := Measure(io.TeeReader(io.LimitReader(file, f.Packed.Size+1), seen))
	if err == nil {
		err = f.Packed.compare(sum)
	}
	if err != nil {
		return fmt.Errorf("%s is not as it was released: %w; fetch it again", f.Name, err)
	}
	return nil
}

// compare says how got differs from what was released.
func (s Sum) compare(got Sum) error {
	switch {
	case got.Size < s.Size:
		return fmt.Errorf("%w: %d of %d bytes are there", ErrCutShort, got.Size, s.Size)
	case got.Size > s.Size:
		return ErrTooLong
	case got.SHA256 != s.SHA256:
		return ErrAltered
	}
	return nil
}

// Unpack returns what the file consists of, as read from r. The reader ends
// with an error instead of io.EOF if that is not what was released. Close it.
func (f File) Unpack(r io.Reader) (io.ReadCloser, error) {
	if !strings.HasSuffix(f.Name, ".zst") {
		return &checked{from: r, left: f.Unpacked.Size, sum: sha256.New(), file: f}, nil
	}
	z, err := zstd.NewReader(r, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true), zstd.WithDecoderConcurrency(2))
	if err != nil {
		return nil, fmt.Errorf("unpacking %s: %w", f.Name, err)
	}
	return &checked{from: z, left: f.Unpacked.Size, sum: sha256.New(), file: f, close: z.Close}, nil
}

// UnpackFile is Unpack of a file.
func (f File) UnpackFile(path string) (io.ReadCloser, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", f.Name, err)
	}
	out, err := f.Unpack(file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return unpacked{out, file}, nil
}

// unpacked closes the file together with what unpacks it.
type unpacked struct {
	io.ReadCloser
	file *os.File
}

func (u unpacked) Close() error { return errors.Join(u.ReadCloser.Close(), u.file.Close()) }
