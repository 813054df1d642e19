package register

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tillprint/tillprint/consent"
)

// Mode is how far a terminal has been commissioned (N1). A terminal that has not been is off: it takes cash.
type Mode string

const (
	ModeOff     Mode = "off"     // nobody is identified and nobody's record is fetched
	ModePIN     Mode = "pin"     // PIN, name and cash; no sensor is opened and no template taken
	ModeFingers Mode = "fingers" // fingers too, where the site's profile and the pupil's consent allow them
)

// Modes are all of them, each a step beyond the one before.
var Modes = []Mode{ModeOff, ModePIN, ModeFingers}

// Evidence is something that must be on record before a step is taken.
type Evidence string

const (
	Basis         Evidence = "basis"          // the legal basis, in the record of processing (K1, K9)
	Policy        Evidence = "policy"         // the school's policy that speaks of these terminals (N2)
	PrivacyNotice Evidence = "privacy-notice" // what pupils and staff are told of it (B6)

	DPIA          Evidence = "dpia"           // the impact assessment (K3)
	ParentsNotice Evidence = "parents-notice" // the version of the notice that every parent got (B1 to B3)
	ConsentForm   Evidence = "consent-form"   // the form on which consent is given in writing (A1, A8)
	Alternative   Evidence = "alternative"    // PIN, name and cash work at this till, at no disadvantage (C1 to C4)
	SignOff       Evidence = "sign-off"       // governors and data protection officer have agreed (K7)
)

// Needs lists what must be on record for a mode, the needs of the modes before it included.
func (m Mode) Needs() []Evidence {
	switch m {
	case ModePIN:
		return []Evidence{Basis, Policy, PrivacyNotice}
	case ModeFingers:
		return append(ModePIN.Needs(), DPIA, ParentsNotice, ConsentForm, Alternative, SignOff)
	}
	return nil
}

// Commission is a terminal's mode with everything that it rests on. It replaces the earlier one, and proves itself: neither a
// hub can sign nor a terminal accept one whose references are incomplete.
type Commission struct {
	Mode       Mode        `json:"mode"`
	References []Reference `json:"references,omitempty"` // what Needs names, in that order
}

// Reference says where a piece of evidence is filed. It is the school's word; nobody here can read the document.
type Reference struct {
	For  Evidence     `json:"for"`
	Text string       `json:"text"` // its title or number
	On   consent.Date `json:"on"`   // when it was approved
	By   string       `json:"by"`   // which office approved it, such as "governors"; no person's name
}

// Check says what a commission lacks.
func (c *Commission) Check() error {
	if !slices.Contains(Modes, c.Mode) {
		return fmt.Errorf("%.20q is no mode; use off, pin or fingers", c.Mode)
	}
	needs := c.Mode.Needs()
	for i, need := range needs {
		if i >= len(c.References) || c.References[i].For != need {
			return fmt.Errorf("mode %s needs a reference for %q on record first (N1)", c.Mode, need)
		}
		if err := c.References[i].check(); err != nil {
			return fmt.Errorf("the reference for %q: %w", need, err)
		}
	}
	if len(c.References) > len(needs) {
		return fmt.Errorf("mode %s has no place for a reference for %.20q", c.Mode, c.References[len(needs)].For)
	}
	return nil
}

func (r *Reference) check() error {
	for _, s := range []string{r.Text, r.By} {
		if strings.TrimSpace(s) == "" || len(s) > 200 || strings.ContainsFunc(s, func(c rune) bool { return c < ' ' }) {
			return errors.New("it needs a title or number, and the office that approved it, each in one line of at most 200 bytes")
		}
	}
	if !r.On.Valid() {
		return errors.New("it needs the date of its approval")
	}
	return nil
}

// Arrange puts the references that the mode needs into their order and drops the others. What is missing stays missing: see Check.
func (c *Commission) Arrange() {
	var kept []Reference
	for _, need := range c.Mode.Needs() {
		if i := slices.IndexFunc(c.References, func(r Reference) bool { return r.For == need }); i >= 0 {
			kept = append(kept, c.References[i])
		}
	}
	c.References = kept
}
