// Package flash writes terminals' cards: it finds removable disks, refuses everything else, writes a released image,
// reads it back, and puts the one file on it that makes this card one terminal's.
//
// Nothing is written before the image has been read once from end to end and found to be as it was released. What cannot
// be a card (fixed disks, anything mounted) is refused by rules that no flag switches off.
package flash

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Card is what is written to: a block device, or a regular file of a card's size.
type Card interface {
	io.ReaderAt
	io.WriterAt
	io.Seeker
	fs.File
	Sync() error
}

// chunk is written, and compared, at a time; syncEvery many are on their way to the card at most, so that the progress
// shown is the card's and not the page cache's.
const (
	chunk     = 4 << 20
	syncEvery = 8
)

// Image is a released image that has been found to be complete.
type Image struct {
	Size int64 // bytes on the card
	Open func() (io.ReadCloser, error)
}

// Least is the smallest card that serves, in bytes: two slots and a data partition need room beyond the image. Cards sold
// as 8 GB have at least 7.2e9 bytes.
const Least = 3 << 30

// Write writes the image, reads it back and compares. step is told how many bytes more have been written or read; both
// passes together come to twice the image's size. A card that was pulled, is worn or protected ends in one of this
// package's errors.
func Write(ctx context.Context, card Card, size int64, image Image, step func(n int)) error {
	if need := max(image.Size, Least); size < need {
		return fmt.Errorf("%w: it has %s, %s are needed", ErrTooSmall, Bytes(size), Bytes(need))
	}
	return Copy(ctx, card, image, step)
}

// Copy is Write for one partition of a card: without the question whether a whole card is large enough.
func Copy(ctx context.Context, card Card, image Image, step func(n int)) error {
	from, err := image.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	sums, err := copyTo(ctx, card, from, step)
	if err != nil {
		return err
	}
	if err := forget(card); err != nil {
		return explain("preparing to read the card back", err)
	}
	return compare(ctx, card, image.Size, sums, step)
}

// copyTo writes everything that from holds and returns the SHA-256 of each chunk. The first chunk, which holds the partition
// table, goes last: a card that was pulled in between does not look like a good one.
func copyTo(ctx context.Context, card Card, from io.Reader, step func(n int)) (sums [][32]byte, err error) {
	var first []byte
	b := make([]byte, chunk)
	for at := int64(0); ; at += chunk {
		n, err := io.ReadFull(from, b)
		if err == io.EOF {
			break
		}
		if err != nil && err != io.ErrUnexpectedEOF {
			return nil, fmt.Errorf("reading the image: %w", err)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		sums = append(sums, sha256.Sum256(b[:n]))
		if at == 0 {
			first = bytes.Clone(b[:n])
			clear(b) // until the end, no partition table
		}
		if _, err := card.WriteAt(b[:n], at); err != nil {
			return nil, explain("writing", err)
		}
		if len(sums)%syncEvery == 0 {
			if err := card.Sync(); err != nil {
				return nil, explain("writing", err)
			}
		}
		step(n)
	}
	if err := card.Sync(); err != nil {
		return nil, explain("writing", err)
	}
	if _, err := card.WriteAt(first, 0); err != nil {
		return nil, explain("writing the partition table", err)
	}
	if err := card.Sync(); err != nil {
		return nil, explain("writing the partition table", err)
	}
	return sums, nil
}

// compare reads the card back.
func compare(ctx context.Context, card Card, size int64, sums [][32]byte, step func(n int)) error {
	b := make([]byte, chunk)
	for i, want := range sums {
		at := int64(i) * chunk
		n := min(chunk, size-at)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if _, err := card.ReadAt(b[:n], at); err != nil && err != io.EOF {
			return explain("reading back", err)
		}
		if sha256.Sum256(b[:n]) != want {
			return fmt.Errorf("%w (first difference between %s and %s)", ErrWorn, Bytes(at), Bytes(at+n))
		}
		step(int(n))
	}
	return nil
}

// explain turns what the kernel says about a card into what a technician can do.
func explain(doing string, err error) error {
	for _, c := range []struct {
		kernel error
		means  error
	}{
		{syscall.EROFS, ErrProtected}, {syscall.EPERM, ErrProtected}, {syscall.ENOSPC, ErrTooSmall},
		{syscall.ENODEV, ErrPulled}, {syscall.ENXIO, ErrPulled}, {syscall.ENOMEDIUM, ErrPulled}, {syscall.EIO, ErrBroken},
		{syscall.EBUSY, ErrInUse},
	} {
		if errors.Is(err, c.kernel) {
			return fmt.Errorf("%s: %w (%w)", doing, c.means, err)
		}
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%s: %w; run it as root", doing, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// Bytes is a size as card makers print it.
func Bytes(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%d bytes", n)
}

// Open opens a device or a regular file to be written, and returns its size. The kernel refuses a device that is mounted.
func Open(path string) (*os.File, int64, error) {
	file, err := os.OpenFile(path, os.O_RDWR|syscall.O_EXCL, 0)
	if err != nil {
		return nil, 0, explain("opening "+path, err)
	}
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		file.Close()
		return nil, 0, explain("asking how large "+path+" is", err)
	}
	return file, size, nil
}
