package register

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/export"
)

// Bounds of what either side accepts.
const (
	MaxEntry     = 64 << 10 // bytes of one entry
	MaxEntries   = 2000     // entries of one batch
	MaxBatch     = 8 << 20  // bytes of one batch
	MaxTerminals = 24       // terminals of one site
	MaxEnvelopes = 200      // envelopes of one request or answer
	MaxEnvelope  = 256 << 10
	MaxBody      = 8 << 20 // bytes of any other body
	MaxWait      = 55      // seconds that a register request may be held
)

// Kind tells which part of an Entry is set.
type Kind string

const (
	KindSubject   Kind = "subject"
	KindTerminals Kind = "terminals"
	KindCommand   Kind = "command"
	KindProfile   Kind = "profile"
)

// Entry is one leaf of the register. Its canonical bytes, from Marshal, are what the tree holds.
type Entry struct {
	Seq       uint64   `json:"seq"`
	Terminal  string   `json:"terminal,omitempty"` // addressee; empty for every terminal of the site
	Kind      Kind     `json:"kind"`
	Subject   *Subject `json:"subject,omitempty"`
	Terminals []Peer   `json:"terminals,omitempty"` // the complete list, which replaces the one before
	Command   *Command `json:"command,omitempty"`
	Profile   *Profile `json:"profile,omitempty"`
}

// Subject is a subject's standing. It replaces the earlier one.
type Subject struct {
	ID       consent.SubjectID `json:"id"`
	Class    consent.Class     `json:"class"`
	Decision consent.Decision  `json:"decision"`
	Reasons  []string          `json:"reasons"`          // rows of the requirements, at most 32
	Ends     []consent.End     `json:"ends,omitempty"`   // dates on which it becomes stricter, at most 16
	Person   uint64            `json:"person,omitempty"` // revision of the person record; 0 if there is none
	Leaver   bool              `json:"leaver,omitempty"` // erase the person record too
}

// Peer is a terminal of the site and its public keys.
type Peer struct {
	ID   string            `json:"id"`
	Sign ed25519.PublicKey `json:"sign"` // Ed25519, 32 bytes
	Seal []byte            `json:"seal"` // HPKE public key, see NewSealKey
}

// Action is what a command does.
type Action string

const (
	Block     Action = "block"   // stop fingers at this terminal; keep everything
	Unblock   Action = "unblock" // end a block
	Wipe      Action = "wipe"    // destroy every key, as when the terminal was stolen (H6)
	Configure Action = "config"  // settings for this terminal
	// Refetch empties this terminal and lets it fetch everything again: it shows less than the hub has seen of it, so an
	// old copy of its card was put back (H17). The hub orders it by itself.
	Refetch Action = "refetch"
	// Introduce lets every other terminal seal what it may pass on to the one in Settings' "terminal" once more.
	Introduce Action = "introduce"
	Export    Action = "export" // send what is held about one subject, sealed to its recipient (G1)
	// Commissioned sets this terminal's mode (N1); the one before does not matter any more.
	Commissioned Action = "commission"
)

// Command is an order to one terminal, or, of Introduce, to all.
type Command struct {
	Do       Action            `json:"do"`
	Settings map[string]string `json:"settings,omitempty"` // of Configure and Introduce: at most 64 keys, 1 KiB each value
	Order    *export.Order     `json:"order,omitempty"`    // of Export; the requester stays at the hub
	// Commission is of Commissioned.
	Commission *Commission `json:"commission,omitempty"`
}

// Profile is what terminals need to know of the site.
type Profile struct {
	School     string `json:"school"`
	Biometrics bool   `json:"biometrics"` // false: the site does not process biometric data (A16)
	// Keep, at a site without biometrics, is the first day on which templates that are still sealed go: nobody has confirmed yet that the
	// switch was meant (H1). Unknown means that they go at once.
	Keep      consent.Date `json:"keep,omitzero"`
	Unused    int          `json:"unused,omitempty"`     // days after which unused fingers go: then terminals tell whose were used (D3)
	PINDigits int          `json:"pin_digits,omitempty"` // length of PINs; 4 only behind a claimed name, 0 is 6
	Purpose   string       `json:"purpose"`
	Modality  string       `json:"modality"`
	Zone      string       `json:"zone"`              // IANA time zone, in which dates are read
	Contact   string       `json:"contact,omitempty"` // the data protection contact, for the page
}

// Marshal returns the canonical bytes: one line of JSON without the line end.
func (e *Entry) Marshal() ([]byte, error) {
	if err := e.validate(); err != nil {
		return nil, err
	}
	b, err := json.Marshal(e)
	if err == nil && len(b) > MaxEntry {
		err = fmt.Errorf("%w: entry %d has %d bytes, at most %d are allowed", ErrMalformed, e.Seq, len(b), MaxEntry)
	}
	return b, err
}

// ParseEntry accepts only canonical bytes, so that one entry has one spelling and one hash.
func ParseEntry(b []byte) (*Entry, error) {
	e := new(Entry)
	if err := decodeStrict(b, MaxEntry, e); err != nil {
		return nil, fmt.Errorf("%w: reading an entry: %v", ErrMalformed, err)
	}
	again, err := e.Marshal()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, b) {
		return nil, fmt.Errorf("%w: entry %d is not in its canonical form", ErrMalformed, e.Seq)
	}
	return e, nil
}

// decodeStrict reads one JSON value of at most limit bytes, without unknown keys and without anything after it.
func decodeStrict(b []byte, limit int, v any) error {
	if len(b) > limit {
		return fmt.Errorf("%d bytes, at most %d are allowed", len(b), limit)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the value")
	}
	return nil
}
