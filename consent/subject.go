package consent

import (
	"encoding/base32"
	"fmt"
	"io"
)

// SubjectID is the random pseudonym of a subject at one site (F3): "p_" and 26 lower-case base32 characters, 128 bits.
// It says nothing about the person, and two sites never share one.
type SubjectID string

const subjectIDLen = 2 + 26

var subjectBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewSubjectID draws a pseudonym from rand.
func NewSubjectID(rand io.Reader) (SubjectID, error) {
	var b [16]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return "", fmt.Errorf("drawing a pseudonym: %w", err)
	}
	return SubjectID("p_" + subjectBase32.EncodeToString(b[:])), nil
}

// ParseSubjectID accepts only what NewSubjectID can make: there is one spelling for every pseudonym.
func ParseSubjectID(s string) (SubjectID, error) {
	if len(s) == subjectIDLen && s[:2] == "p_" {
		if b, err := subjectBase32.DecodeString(s[2:]); err == nil && subjectBase32.EncodeToString(b) == s[2:] {
			return SubjectID(s), nil
		}
	}
	return "", fmt.Errorf("consent: %.40q is no subject pseudonym: it should be p_ and 26 characters a-z, 2-7", s)
}

// Class tells pupils from adults (A10). What the law asks of a person follows from the age, not from the class.
type Class uint8

const (
	UnknownClass Class = iota
	Pupil
	Adult // staff and other adults
)

var classWords = words[Class]{"unknown", "pupil", "adult"}

func (c Class) String() string                { return classWords.word(c) }
func (c Class) MarshalText() ([]byte, error)  { return classWords.marshal("class", c) }
func (c *Class) UnmarshalText(b []byte) error { return classWords.unmarshal("class", b, c) }

// Roster is what the school's own list says about a subject.
type Roster uint8

const (
	UnknownRoster Roster = iota // the list is silent or could not be read: pause, not guess
	Current
	Leaver
)

var rosterWords = words[Roster]{"unknown", "current", "leaver"}

func (r Roster) String() string                { return rosterWords.word(r) }
func (r Roster) MarshalText() ([]byte, error)  { return rosterWords.marshal("roster state", r) }
func (r *Roster) UnmarshalText(b []byte) error { return rosterWords.unmarshal("roster state", b, r) }

// Responsible is an adult, a local authority or an organisation on the school's record for a pupil (A7).
type Responsible struct {
	ID       string   `json:"id"`
	Capacity Capacity `json:"capacity"` // Parent, Holder, Carer, LocalAuthority or VoluntaryOrganisation
	// ParentalResponsibility as in the Children Act 1989, part 1. Without it a parent must be notified and may object,
	// but a consent of theirs alone does not permit.
	ParentalResponsibility bool `json:"parental_responsibility"`
}

// Subject is what the site knows about a person apart from statements.
type Subject struct {
	ID          SubjectID     `json:"id"`
	Class       Class         `json:"class"`
	Eighteenth  Date          `json:"eighteenth,omitzero"` // 18th birthday (A2); may stay unknown for adults only
	Responsible []Responsible `json:"responsible,omitempty"`
	Roster      Roster        `json:"roster"`
	LeavesOn    Date          `json:"leaves_on,omitzero"`   // the first day on which nothing may be held (D3)
	LastUsed    Date          `json:"last_used,omitzero"`   // latest day on which a finger is known to have been used, to about a month
	Silent      bool          `json:"silent,omitempty"`     // the list that Roster comes from is out of date: see Silent
	Restricted  bool          `json:"restricted,omitempty"` // accuracy or use is disputed: keep, do not process (F5, G11)
	Hold        bool          `json:"hold,omitempty"`       // needed for a legal claim: keep, do not process (G12)
}
