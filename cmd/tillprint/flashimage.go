package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/mod/sumdb/note"

	"github.com/tillprint/tillprint/deploy/flash"
	"github.com/tillprint/tillprint/deploy/release"
)

// open checks the image against its release statement, from end to end, and says what it is.
func (f *flasher) open(ctx context.Context) (flash.Image, error) {
	r, err := f.statement()
	if err != nil {
		return flash.Image{}, err
	}
	file, err := r.File(filepath.Base(f.image))
	if err != nil {
		return flash.Image{}, err
	}
	if r.Kind != release.Image {
		return flash.Image{}, fmt.Errorf("%s is part of an update of version %s, not an image", f.image, r.Version)
	}
	bar := f.progress(file.Packed.Size, "checking the image")
	if err := file.Verify(f.image, stopper{ctx, bar}); err != nil {
		return flash.Image{}, err
	}
	_ = bar.Finish()
	fmt.Fprintf(f.out, "image of version %s, %s on the card\n", r.Version, flash.Bytes(file.Unpacked.Size))
	return flash.Image{Size: file.Unpacked.Size, Open: func() (io.ReadCloser, error) { return file.UnpackFile(f.image) }}, nil
}

// statement reads what lies beside the image. Without a key its maker is not known, and that is said.
func (f *flasher) statement() (*release.Release, error) {
	path := f.image + ".release"
	text, err := readSmall(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing: it says how long the image must be and what it hashes to; keep it beside the image", path)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the release statement: %w", err)
	}
	if f.key == "" {
		fmt.Fprintln(f.out, "who made the image is not checked: give the release key with --key")
		return release.OpenUnchecked([]byte(text))
	}
	key, err := verifierKey(f.key)
	if err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return nil, fmt.Errorf("the release key cannot be read: %w", err)
	}
	return release.Open([]byte(text), verifier)
}

// stopper ends a long reading when the context ends.
type stopper struct {
	ctx context.Context
	to  io.Writer
}

func (s stopper) Write(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.to.Write(b)
}

// progress shows how far it is, on a terminal only.
func (f *flasher) progress(size int64, what string) *progressbar.ProgressBar {
	return progressbar.NewOptions64(size, progressbar.OptionSetWriter(f.bar), progressbar.OptionSetDescription(what),
		progressbar.OptionShowBytes(true), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetVisibility(onTerminal(f.bar)), progressbar.OptionClearOnFinish())
}
