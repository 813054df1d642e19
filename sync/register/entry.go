package register

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tillprint/tillprint/consent"
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
)

// Command is an order to one terminal.
type Command struct {
	Do       Action            `json:"do"`
	Settings map[string]string `json:"settings,omitempty"` // of Configure: at most 64 keys, 1 KiB each value
}

// Profile is what terminals need to know of the site.
type Profile struct {
	School     string `json:"school"`
	Biometrics bool   `json:"biometrics"` // false: the site does not process biometric data (A16)
	Purpose    string `json:"purpose"`
	Modality   string `json:"modality"`
	Zone       string `json:"zone"`              // IANA time zone, in which dates are read
	Contact    string `json:"contact,omitempty"` // the data protection contact, for the page
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

func (e *Entry) validate() error {
	if err := e.check(); err != nil {
		return fmt.Errorf("%w: entry %d: %w", ErrMalformed, e.Seq, err)
	}
	return nil
}

func (e *Entry) check() error {
	parts := 0
	for _, set := range []bool{e.Subject != nil, e.Terminals != nil, e.Command != nil, e.Profile != nil} {
		if set {
			parts++
		}
	}
	switch {
	case e.Seq == 0 || e.Seq > maxSize:
		return errors.New("the sequence number is out of range")
	case e.Terminal != "" && !ValidName(e.Terminal):
		return errors.New("the addressee is no terminal name")
	case parts != 1:
		return fmt.Errorf("it has %d parts instead of one", parts)
	case e.Kind == KindSubject && e.Subject != nil:
		return e.Subject.check()
	case e.Kind == KindTerminals && len(e.Terminals) > 0:
		return checkPeers(e.Terminals)
	case e.Kind == KindCommand && e.Command != nil:
		return e.Command.check(e.Terminal)
	case e.Kind == KindProfile && e.Profile != nil:
		return e.Profile.check()
	}
	return fmt.Errorf("its part does not fit its kind %.20q", e.Kind)
}

func (s *Subject) check() error {
	if _, err := consent.ParseSubjectID(string(s.ID)); err != nil {
		return err
	}
	if s.Decision > consent.Permit || len(s.Reasons) > 32 || len(s.Ends) > 16 {
		return errors.New("the standing is out of bounds")
	}
	if s.Leaver && s.Decision == consent.Permit {
		return errors.New("it permits a leaver")
	}
	for _, r := range s.Reasons {
		if r == "" || len(r) > 16 {
			return errors.New("a reason is no row")
		}
	}
	for _, e := range s.Ends {
		if !e.On.Valid() || e.Decision > consent.Permit || e.Row == "" || len(e.Row) > 16 {
			return errors.New("an end is no date with a decision and a row")
		}
	}
	return nil
}

func checkPeers(peers []Peer) error {
	if len(peers) > MaxTerminals {
		return fmt.Errorf("it lists %d terminals, at most %d are allowed", len(peers), MaxTerminals)
	}
	seen := make(map[string]bool)
	for _, p := range peers {
		if !ValidName(p.ID) || seen[p.ID] || p.ID == Hub {
			return fmt.Errorf("terminal %.40q is listed twice or has no proper name", p.ID)
		}
		seen[p.ID] = true
		if len(p.Sign) != ed25519.PublicKeySize {
			return fmt.Errorf("terminal %q has no Ed25519 key", p.ID)
		}
		if _, err := ParseSealPublic(p.Seal); err != nil {
			return fmt.Errorf("terminal %q: %w", p.ID, err)
		}
	}
	return nil
}

func (c *Command) check(terminal string) error {
	switch c.Do {
	case Block, Unblock, Wipe:
		if len(c.Settings) > 0 {
			return fmt.Errorf("command %q takes no settings", c.Do)
		}
	case Configure:
		if len(c.Settings) == 0 || len(c.Settings) > 64 {
			return errors.New("a config command needs 1 to 64 settings")
		}
	default:
		return fmt.Errorf("%.20q is no command", c.Do)
	}
	for k, v := range c.Settings {
		if k == "" || len(k) > 64 || len(v) > 1024 {
			return errors.New("a setting is too long or has no name")
		}
	}
	if terminal == "" && c.Do == Wipe {
		return errors.New("a wipe is addressed to one terminal")
	}
	return nil
}

func (p *Profile) check() error {
	for _, s := range []string{p.School, p.Purpose, p.Modality, p.Zone, p.Contact} {
		if len(s) > 200 {
			return errors.New("a text of the profile is longer than 200 bytes")
		}
	}
	return nil
}

// ValidName reports whether s can name a site or a terminal: 1 to 32 characters of a-z, 0-9 and "-", not "-" first.
func ValidName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' && i > 0) {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 32
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
