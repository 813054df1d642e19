package terminald

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/tillprint/tillprint/deploy/release"
	"github.com/tillprint/tillprint/store/durable"
)

// A stick that is left in offers its version at every start: once it was tried and did not serve, it must not be tried
// for ever. What was tried is kept until a version is committed.

// attempt is a start on trial.
type attempt struct {
	Sequence uint64 `json:"sequence"`
	Boot     string `json:"boot"`            // of the kernel that asked for it: under another one it is over
	Again    string `json:"again,omitempty"` // the word beside the bundle; another word is a person's wish to try once more
}

// againName is the file beside a bundle whose word, when it is a new one, has a version tried once more: on the card's
// image nobody can give a command.
const againName = "again.txt"

// maxTried bounds what is kept, against several sticks taking turns.
const maxTried = 16

func (c Config) triedPath() string { return filepath.Join(c.updateDir(), "tried") }

func (c Config) readTried() (all []attempt, err error) {
	if _, err = readNote(c.triedPath(), &all); err != nil {
		err = fmt.Errorf("which versions were tried: %w", err)
	}
	return all, err
}

// tried finds the last start on trial of a version; nil for none. A list that cannot be read knows of none: one that a
// card has spoilt must not keep updates away.
func (c Config) tried(sequence uint64) *attempt {
	all, _ := c.readTried()
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Sequence == sequence {
			return &all[i]
		}
	}
	return nil
}

// errTried refuses what was tried and did not serve.
var errTried = errors.New("it was started on trial before and did not serve; bring another version, or have it tried once more by 'tillprintd update forget' or by a new word in a file called again.txt beside it")

// Untried says whether the version r in a folder may be tried, as far as what was tried before is concerned.
func (c Config) Untried(folder string, r *release.Release) error {
	last := c.tried(r.Sequence)
	if last == nil || last.Boot == bootID() || last.Again != wordIn(folder) {
		return nil
	}
	return fmt.Errorf("the update to version %s is not taken: %w", r.Version, errTried)
}

// NoteTrial remembers that a version is about to be started on trial, from a folder if there is one. It is called as root.
func (c Config) NoteTrial(folder string, sequence uint64) error {
	all, _ := c.readTried()
	all = append(all, attempt{sequence, bootID(), wordIn(folder)})
	b, err := json.Marshal(all[max(0, len(all)-maxTried):])
	if err == nil {
		err = os.MkdirAll(c.updateDir(), 0o700)
	}
	if err == nil {
		err = durable.Replace(c.triedPath(), b)
	}
	if err == nil {
		err = c.handBack(c.updateDir(), c.triedPath())
	}
	if err != nil {
		return fmt.Errorf("noting which version is tried: %w", err)
	}
	return nil
}

// handBack gives what root has made to whom the store belongs: the daemon, which reads and replaces it.
func (c Config) handBack(paths ...string) (err error) {
	info, err := os.Stat(c.Store.Dir)
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t)
	for _, path := range paths {
		err = errors.Join(err, os.Lchown(path, int(owner.Uid), int(owner.Gid)))
	}
	return err
}

// ForgetTried has every version tried that comes.
func (c Config) ForgetTried() error {
	err := os.Remove(c.triedPath())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forgetting which versions were tried: %w", err)
	}
	return nil
}

// wordIn is the word beside a bundle; "" for none.
func wordIn(folder string) string {
	if folder == "" {
		return ""
	}
	f, err := os.Open(filepath.Join(folder, againName))
	if err != nil {
		return ""
	}
	defer f.Close()
	word := make([]byte, 64) // more of it makes no difference
	n, _ := f.Read(word)
	return string(word[:n])
}
