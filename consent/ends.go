package consent

import (
	"slices"
	"time"
)

// End is a date on which a decision becomes stricter by itself.
type End struct {
	On       Date     `json:"on"`       // the first day on which it holds, in the site's time zone
	Decision Decision `json:"decision"` // what the decision becomes
	Row      string   `json:"row"`      // the row of its first reason
}

// Ends lists, in order, the dates after now on which the decision becomes stricter if nobody says anything more: 18th
// birthday, review, leaving, end of grace. At the start of each of these days Decide returns what the End says. Dates on which it would
// become less strict are left out, and so is what a statement dated in the future will bring: decide again when it comes.
func Ends(s Subject, statements []Statement, p Profile, now time.Time) []End {
	current, _ := Decide(s, statements, p, now)
	var ends []End
	for _, d := range turns(s, statements, p, now) {
		if next, reasons := Decide(s, statements, p, d.Start(now.Location())); next < current {
			ends = append(ends, End{d, next, reasons[0].Row})
			current = next
		}
	}
	return ends
}

// turns are the days after now on which any rule can change its mind, sorted.
func turns(s Subject, statements []Statement, p Profile, now time.Time) []Date {
	dates := []Date{s.LeavesOn, s.Eighteenth, s.Eighteenth.AddDays(p.GraceDays), s.Eighteenth.Anniversary(p.AgreementAge - 18),
		s.alone(p), s.alone(p).AddDays(p.GraceDays), s.LastUsed.AddDays(p.UnusedDays)}
	for _, st := range statements {
		dates = append(dates, st.ReviewBy, st.ReviewBy.AddDays(p.GraceDays), DateOf(st.At.In(now.Location())).AddDays(p.UnusedDays))
		if st.Kind.negative() && st.Form == Verbal {
			dates = append(dates, DateOf(st.At.In(now.Location())).AddDays(p.GraceDays))
		}
	}
	dates = slices.DeleteFunc(dates, func(d Date) bool { return !d.Valid() || d.Reached(now) })
	slices.SortFunc(dates, Date.Compare)
	return slices.Compact(dates)
}
