package consent

import "slices"

// What a profile that says nothing else guards with, and the number of subjects that is never a mass.
const (
	DefaultMassPercent = 10
	DefaultMassDays    = 4 // an office that is shut from Friday to Monday finds everything still there
	MassLeast          = 10
)

// Mass reports whether erasing n subjects within a day is so much that it may be a mistake, of a list that came half or of a switch
// pressed by accident; of is how many could be matched before. Then matching stops at once, as ever, but nothing is destroyed until
// somebody at the office has confirmed it or MassWait has passed (section 6, item 5 of the field notes; H1).
func (p Profile) Mass(n, of int) bool {
	return n > MassLeast && n*100 > of*p.MassShare()
}

// MassShare is the share in percent above which an erasure is a mass.
func (p Profile) MassShare() int {
	if p.MassPercent == 0 {
		return DefaultMassPercent
	}
	return p.MassPercent
}

// MassWait is for how many days at most an erasure is kept waiting.
func (p Profile) MassWait() int {
	if p.MassDays == 0 {
		return DefaultMassDays
	}
	return p.MassDays
}

// spoken are the rows of a person's own word: a parent's, a pupil's or an adult's.
var spoken = []string{"A3", "A6", "A12"}

// Spoken reports whether an erasure with these reasons follows from what somebody has said about themselves or their child. It
// never waits, however many say it on the same day.
func Spoken(reasons []string) bool {
	return slices.ContainsFunc(reasons, func(row string) bool { return slices.Contains(spoken, row) })
}
