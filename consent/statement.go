package consent

import (
	"fmt"
	"slices"
	"time"
)

// Kind is what a statement does.
type Kind string

const (
	Notified   Kind = "notified"   // the person was told of the system and of the right to object (B1)
	Consent    Kind = "consent"    // consents; of a child: agrees to take part
	Withdrawal Kind = "withdrawal" // takes an earlier consent back (A12)
	Objection  Kind = "objection"  // objects, whether or not there was a consent (A6)
	Refusal    Kind = "refusal"    // the subject will not take part, or not any longer (A3, A4)
	Exempt     Kind = "exempt-s27" // the school is satisfied that this adult need not be notified (s.27(1)); By is the adult, TakenBy who decided
)

// Form is how a statement was made. Only Written and Portal are in writing (s.27).
type Form string

const (
	Written Form = "written" // on paper
	Portal  Form = "portal"  // in an electronic form, by a positive act
	Verbal  Form = "verbal"  // by word of mouth, by telephone, or by a press at the till
	OptOut  Form = "opt-out" // inferred because an opt-out was not returned: never a consent (A8)
	Implied Form = "implied" // inferred from silence, use or a pre-ticked box: never a consent (A8)
)

// Capacity is in which role a person speaks.
type Capacity string

const (
	Parent                Capacity = "parent"
	Holder                Capacity = "pr-holder" // not a parent, but has parental responsibility
	Carer                 Capacity = "carer"     // has care of the child; speaks only if no parent has to be notified (s.28)
	LocalAuthority        Capacity = "local-authority"
	VoluntaryOrganisation Capacity = "voluntary-org"
	Self                  Capacity = "self"  // the subject, as an adult (A10)
	Child                 Capacity = "child" // the subject, under 18
)

// Ground is why an adult need not be notified: s.27(1)(a) to (d). It is safeguarding data and stays at the hub.
type Ground string

const (
	NotFound       Ground = "cannot-be-found"
	LacksCapacity  Ground = "lacks-capacity"
	Welfare        Ground = "welfare"
	NotPracticable Ground = "not-practicable"
)

// The purpose and the modality of this product. A consent is bound to both (A9, F2).
const (
	CanteenIdentification = "canteen-identification"
	Finger                = "finger"
)

// Statement is one thing that one person said about one subject's biometric data, with what is needed to show how and
// when it was said (E1). Statements are never edited; a change of mind is another statement.
type Statement struct {
	ID       string    `json:"id"`
	By       string    `json:"by"` // the adult's id; for Self and Child the subject's own id, or empty
	Capacity Capacity  `json:"capacity"`
	Kind     Kind      `json:"kind"`
	Form     Form      `json:"form"`
	At       time.Time `json:"at"` // when it was said, not when it was recorded
	Purpose  string    `json:"purpose"`
	Modality string    `json:"modality"`
	Notice   string    `json:"notice,omitempty"`   // version of the notice that was given, or that the consent answers
	Evidence string    `json:"evidence,omitempty"` // where the proof is kept; a consent without it does not count (A8, E1)
	TakenBy  string    `json:"taken_by,omitempty"` // who recorded it
	ReviewBy Date      `json:"review_by,omitzero"` // first day on which a consent no longer counts (A14)
	Ground   Ground    `json:"ground,omitempty"`   // of an exemption
}

// MaxField is the longest text, in bytes, that Validate accepts in any field of a statement.
const MaxField = 200

// Validate says what is wrong with a statement that is about to be recorded. Decide needs no validated statements:
// whatever it does not understand never permits.
func (s Statement) Validate() error {
	for _, f := range []string{s.ID, s.By, s.Purpose, s.Modality, s.Notice, s.Evidence, s.TakenBy} {
		if len(f) > MaxField {
			return fmt.Errorf("consent: statement %.20q: a field is longer than %d bytes", s.ID, MaxField)
		}
	}
	switch {
	case s.ID == "":
		return fmt.Errorf("consent: a statement needs an id")
	case !s.Kind.known():
		return fmt.Errorf("consent: statement %q: %.40q is no kind of statement", s.ID, s.Kind)
	case !s.Form.known():
		return fmt.Errorf("consent: statement %q: %.40q is no form of statement", s.ID, s.Form)
	case !s.Capacity.known():
		return fmt.Errorf("consent: statement %q: %.40q is no capacity", s.ID, s.Capacity)
	case s.By == "" && !s.Capacity.subject():
		return fmt.Errorf("consent: statement %q: it does not say who made it", s.ID)
	case s.At.IsZero():
		return fmt.Errorf("consent: statement %q: it has no date", s.ID)
	case !s.ReviewBy.IsZero() && !s.ReviewBy.Valid():
		return fmt.Errorf("consent: statement %q: its review date is no date", s.ID)
	case s.Kind == Exempt && (!s.Ground.known() || s.TakenBy == ""):
		return fmt.Errorf("consent: statement %q: an exemption needs its ground and who decided it", s.ID)
	}
	return nil
}

func (k Kind) known() bool {
	return slices.Contains([]Kind{Notified, Consent, Withdrawal, Objection, Refusal, Exempt}, k)
}

func (k Kind) negative() bool { return k == Withdrawal || k == Objection || k == Refusal }

func (f Form) known() bool {
	return slices.Contains([]Form{Written, Portal, Verbal, OptOut, Implied}, f)
}

func (f Form) inWriting() bool { return f == Written || f == Portal }

func (c Capacity) known() bool { return c.subject() || c.adult() }

func (c Capacity) subject() bool { return c == Self || c == Child }

func (c Capacity) adult() bool {
	return slices.Contains([]Capacity{Parent, Holder, Carer, LocalAuthority, VoluntaryOrganisation}, c)
}

func (g Ground) known() bool {
	return slices.Contains([]Ground{NotFound, LacksCapacity, Welfare, NotPracticable}, g)
}
