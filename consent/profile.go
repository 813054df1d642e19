package consent

import "errors"

// Profile is what a site has decided about biometrics (N1, N2). The zero Profile is a site that has none (A16).
type Profile struct {
	Biometrics bool   `json:"biometrics"` // site mode (A16); false erases everything biometric
	Purpose    string `json:"purpose"`    // what consents must be for, such as CanteenIdentification
	Modality   string `json:"modality"`   // what is captured, such as Finger

	Notices []string `json:"notices"`           // versions of the notice that count: a consent to any other pauses
	Invalid []string `json:"invalid,omitempty"` // versions found wanting: a consent to one of them is none (A13)

	// Elsewhere are the purposes and modalities in use at the site that are not this one. An objection that names one of them
	// leaves the canteen alone; an objection that names anything else is taken to mean the canteen too.
	Elsewhere []string `json:"elsewhere,omitempty"`

	// GraceDays is for how many days fingers are kept, unmatched, when a consent has ended by a date (18th birthday,
	// review) or by word of mouth, so that it can be renewed without a new enrolment. Then they are erased (D3). Zero erases at once.
	GraceDays int `json:"grace_days"`

	// AgreementAge is the age in years, 1 to 17, from which a child's own agreement is needed besides the parents' consent.
	// Zero asks for none; a refusal counts at every age in any case.
	AgreementAge int `json:"agreement_age,omitempty"`

	// Nation is whose law applies. The Act is that of England and Wales, and its rules are the strictest: they hold everywhere, but for
	// OwnConsentAge. OwnConsentAge is the age in years, 12 to 17, from which a pupil in Scotland or Northern Ireland consents in
	// writing instead of the parents (2A, territory; G14). Zero, and always in England and Wales, is 18.
	Nation        Nation `json:"nation,omitempty"`
	OwnConsentAge int    `json:"own_consent_age,omitempty"`

	// UnusedDays is after how many days without a use, or a new consent, fingers are erased (D3). Zero keeps them.
	UnusedDays int `json:"unused_days,omitempty"`
	// SilentDays is for how many days fingers are matched without a word from the school's own list (A5). Zero is for a site
	// whose office keeps the list by hand.
	SilentDays int `json:"silent_days,omitempty"`

	// MassPercent and MassDays guard against an erasure of many at once by mistake: see Mass. Zero are DefaultMassPercent and
	// DefaultMassDays.
	MassPercent int `json:"mass_percent,omitempty"` // 1 to 100
	MassDays    int `json:"mass_days,omitempty"`    // 1 to 14

	// PINDigits is the length of PINs, the way for whoever does not use a finger (C1): 6, or 4, which open nothing without a name that is
	// claimed first. Zero is 6.
	PINDigits int `json:"pin_digits,omitempty"`
}

// Nation is one of the legal systems that a school can be under.
type Nation string

const (
	EnglandWales    Nation = "england-wales" // as is the empty one
	Scotland        Nation = "scotland"
	NorthernIreland Nation = "northern-ireland"
)

// Check says what in a profile cannot be: whoever sets it wants to know before Decide pauses everybody for it (N2).
func (p Profile) Check() error {
	if flaw := p.flaw(); flaw != "" {
		return errors.New(flaw)
	}
	return nil
}

// flaw says what in a profile cannot be; empty if nothing is wrong.
func (p Profile) flaw() string {
	switch {
	case p.AgreementAge < 0 || p.AgreementAge > 17 || p.GraceDays < 0 || p.UnusedDays < 0 || p.SilentDays < 0:
		return "The site profile has an age or a number of days that cannot be."
	case p.MassPercent < 0 || p.MassPercent > 100 || p.MassDays < 0 || p.MassDays > 14:
		return "The site profile guards against mistakes with a share or a time that cannot be."
	case p.PINDigits != 0 && p.PINDigits != 4 && p.PINDigits != 6:
		return "PINs have 6 digits, or 4 behind a name."
	case p.Nation != "" && p.Nation != EnglandWales && p.Nation != Scotland && p.Nation != NorthernIreland:
		return "The site profile names a nation whose law is not known here."
	case p.OwnConsentAge != 0 && (p.Nation == "" || p.Nation == EnglandWales):
		return "In England and Wales no pupil under 18 can consent instead of the parents."
	case p.OwnConsentAge != 0 && (p.OwnConsentAge < 12 || p.OwnConsentAge > 17):
		return "The age from which a pupil consents alone must be 12 to 17."
	}
	return ""
}
