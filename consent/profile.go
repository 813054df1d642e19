package consent

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
}
