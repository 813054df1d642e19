package keyslot

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/tillprint/tillprint/store/durable"
)

// Use is a note beside the store about where its root keys are since they were moved. It outranks the configuration, which cannot
// be changed in the same instant. Without a note the keys are where the configuration says.
type Use struct {
	Kind string // the slot with the keys, or to which they are being moved; "" without a note
	From string // the slot that they are moved from, until its keys are destroyed; "" afterwards
}

const useName = "keyslot.use"

// Kinds of slots, as the configuration and Use name them.
const (
	KindFile = "file"
	KindTPM  = "tpm"
	KindI2C  = "i2c"
	KindHub  = "hub"
)

// Kinds lists them for a sentence.
const Kinds = "file, tpm, i2c or hub"

// KnownKind reports whether a slot is called so.
func KnownKind(kind string) bool {
	return kind == KindFile || kind == KindTPM || kind == KindI2C || kind == KindHub
}

// ReadUse reads the note in dir.
func ReadUse(dir string) (Use, error) {
	r, err := os.OpenFile(filepath.Join(dir, useName), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return Use{}, nil
	}
	if err != nil {
		return Use{}, fmt.Errorf("reading where the root keys are: %w", err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, 64))
	if err != nil {
		return Use{}, fmt.Errorf("reading where the root keys are: %w", err)
	}
	u, ok := parseUse(string(b))
	if !ok {
		return Use{}, fmt.Errorf("%s is damaged: write the one word file, tpm, i2c or hub into it, whichever holds the keys", filepath.Join(dir, useName))
	}
	return u, nil
}

// parseUse reads "tpm", or "tpm from file" while a move is under way.
func parseUse(text string) (Use, bool) {
	kind, from, moving := strings.Cut(strings.TrimSpace(text), " from ")
	ok := KnownKind(kind) && (!moving || KnownKind(from) && from != kind)
	return Use{kind, from}, ok
}

// Write makes the note durable; the zero Use takes it away.
func (u Use) Write(dir string) error {
	path := filepath.Join(dir, useName)
	var err error
	switch {
	case u == Use{}:
		if err = os.Remove(path); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			err = durable.SyncDir(dir)
		}
	case u.From != "":
		err = durable.Replace(path, []byte(u.Kind+" from "+u.From+"\n"))
	default:
		err = durable.Replace(path, []byte(u.Kind+"\n"))
	}
	if err != nil {
		return fmt.Errorf("noting where the root keys are: %w", err)
	}
	return nil
}
