package consent

// End is a date on which a decision becomes stricter by itself.
type End struct {
	On       Date     `json:"on"`       // the first day on which it holds, in the site's time zone
	Decision Decision `json:"decision"` // what the decision becomes
	Row      string   `json:"row"`      // the reason's row
}
