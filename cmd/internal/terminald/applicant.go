package terminald

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/tillprint/tillprint/store/durable"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/sync/terminal"
)

// A device that has asked to be let in keeps its keys in a file of its own until the store is there. They are sealed under
// the first key of the slot, in which the store then draws its own: what is left of the file on the card opens nothing.
const maxApplicant = 16 << 10

func (c Config) applicantPath() string { return filepath.Join(c.Store.Dir, "joining") }

var applicantData = []byte("tillprint applicant 1")

// keepApplicant makes the keys durable before anybody hears of them.
func (c Config) keepApplicant(a *terminal.Applicant, slot keyslot.Slot) error {
	key := make([]byte, keyslot.KeySize)
	defer clear(key)
	if err := slot.Next(1, key); err != nil {
		return err
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return err
	}
	text, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("keeping the keys to join with: %w", err)
	}
	defer clear(text)
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(text)+aead.Overhead())
	if _, err := io.ReadFull(rand.Reader, nonce); err != nil {
		return fmt.Errorf("keeping the keys to join with: %w", err)
	}
	if err := durable.Replace(c.applicantPath(), aead.Seal(nonce, nonce, text, applicantData)); err != nil {
		return fmt.Errorf("keeping the keys to join with: %w", err)
	}
	return nil
}

// applicant finds the keys again; the error wraps fs.ErrNotExist if there are none.
func (c Config) applicant() (*terminal.Applicant, keyslot.Slot, error) {
	file, err := os.Open(c.applicantPath())
	if err != nil {
		return nil, nil, fmt.Errorf("reading the keys to join with: %w", err)
	}
	defer file.Close()
	sealed, err := io.ReadAll(io.LimitReader(file, maxApplicant))
	if err != nil {
		return nil, nil, fmt.Errorf("reading the keys to join with: %w", err)
	}
	kind, err := c.begunKind()
	if err != nil {
		return nil, nil, err
	}
	slot, err := c.openSlot(kind)
	if err != nil {
		return nil, nil, err
	}
	key := make([]byte, keyslot.KeySize)
	defer clear(key)
	if err := slot.Key(1, key); err != nil {
		return nil, nil, err
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, nil, err
	}
	damaged := errors.New("the keys with which this terminal has asked to join cannot be opened: begin with a new code")
	if len(sealed) < aead.NonceSize() {
		return nil, nil, damaged
	}
	text, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], applicantData)
	if err != nil {
		return nil, nil, damaged
	}
	defer clear(text)
	a := new(terminal.Applicant)
	if json.Unmarshal(text, a) != nil {
		return nil, nil, damaged
	}
	return a, slot, nil
}
