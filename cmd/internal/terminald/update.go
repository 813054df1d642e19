package terminald

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tillprint/tillprint/deploy/update"
	"github.com/tillprint/tillprint/store/durable"
)

// Where the image keeps what an update needs to know. None of it is configurable: it is part of what was signed.
const (
	releaseKey = "/usr/share/tillprint/release.key"
	startDir   = "/start"
)

// kernelSays reads a file of the kernel's. The daemon's unit hides all of /proc but processes from it, and hands over what
// it needs as credentials; a command in a shell has none.
func kernelSays(path, credential string) ([]byte, error) {
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" {
		path = filepath.Join(dir, credential)
	}
	return os.ReadFile(path)
}

// ThisCard is the card that this machine was started from.
func ThisCard() (update.Card, error) {
	cmdline, err := kernelSays("/proc/cmdline", "cmdline")
	if err != nil {
		return update.Card{}, fmt.Errorf("finding out which slot runs: %w", err)
	}
	osRelease, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return update.Card{}, fmt.Errorf("finding out which version runs: %w", err)
	}
	return update.This(string(cmdline), string(osRelease), startDir)
}

// onTrial reports whether this version may have to give way to the one before it, which has to read what this one leaves.
func onTrial() bool {
	card, err := ThisCard()
	if err != nil {
		return false // no card of Tillprint's: the package manager replaces versions, and tries none
	}
	trial, err := card.OnTrial()
	return trial || err != nil
}

// ReleaseKey verifies what this card may be updated with.
func ReleaseKey() (note.Verifier, error) {
	text, err := os.ReadFile(releaseKey)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("this image was built without a release key: it takes no updates; flash the card")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the release key: %w", err)
	}
	key, err := note.NewVerifier(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("reading the release key: %w", err)
	}
	return key, nil
}

// The daemon, which may not write partitions, fetches an update into a folder of its own; a command of root's installs it
// from there and leaves word of how that went.
func (c Config) updateDir() string   { return filepath.Join(c.Store.Dir, "update") }
func (c Config) readyPath() string   { return filepath.Join(c.updateDir(), "ready") }
func (c Config) outcomePath() string { return filepath.Join(c.updateDir(), "outcome") }

// outcome is how an installation went.
type outcome struct {
	Sequence uint64 `json:"sequence"`
	Boot     string `json:"boot"`            // of the kernel that ran then; another one has tried what was installed
	Error    string `json:"error,omitempty"` // why it was not installed
}

// bootID names this start of the kernel.
func bootID() string {
	b, _ := kernelSays("/proc/sys/kernel/random/boot_id", "boot_id") // without it a trial is never taken for failed
	return strings.TrimSpace(string(b))
}

func (c Config) readOutcome() (o outcome, err error) {
	b, err := os.ReadFile(c.outcomePath())
	if err != nil {
		return o, err
	}
	return o, json.Unmarshal(b, &o)
}

func (c Config) writeOutcome(o outcome) error {
	b, err := json.Marshal(o)
	if err != nil {
		return err
	}
	if err := durable.Replace(c.outcomePath(), b); err != nil {
		return err
	}
	return os.Chmod(c.outcomePath(), 0o644) // root writes it, the daemon reads it; nobody else gets into its folder
}

// ApplyUpdate installs what the daemon has fetched, on card, and reports its version. It is called as root, outside the
// daemon, and trusts nothing of what lies there: all of it is checked against the release key again. Outside the hours it
// installs nothing, and leaves the files. unable is why this machine could not try what is installed; then nothing is, and
// the hub hears why.
func ApplyUpdate(ctx context.Context, c Config, card update.Card, key note.Verifier, now time.Time, unable error, step func(int)) (version string, err error) {
	if err := c.mayApply(now); err != nil {
		return "", err
	}
	r, err := card.Open(c.updateDir(), key)
	o := outcome{Boot: bootID()}
	if r != nil {
		o.Sequence = r.Sequence
	}
	if err == nil {
		err = unable
	}
	if err == nil {
		err = card.Install(ctx, c.updateDir(), r, step)
	}
	if ctx.Err() != nil {
		return "", ctx.Err() // it is ready still
	}
	if err != nil {
		o.Error = err.Error()
	}
	if err := errors.Join(err, c.writeOutcome(o), os.Remove(c.readyPath())); err != nil {
		return "", fmt.Errorf("installing the update that was fetched: %w", err)
	}
	return r.Version, nil
}
