package consent

import "time"

// unused finds that the fingers have served nobody for too long (D3). A consent counts as a use on its day: who has consented
// may take a while to enrol, and who was forgotten comes back by consenting once more.
func (c *inquiry) unused() {
	if c.profile.UnusedDays <= 0 {
		return
	}
	var since Date
	if used := c.subject.LastUsed; used.Valid() && used.Reached(c.now) {
		since = used
	}
	for _, s := range c.statements {
		if st, _ := c.weigh(s); s.Kind == Consent && st == inForce && c.day(s).After(since) {
			since = c.day(s)
		}
	}
	if since.AddDays(c.profile.UnusedDays).Reached(c.now) {
		c.find(Erase, "D3", "The fingers have not been used for as long as the site keeps them.")
	}
}

// Silent reports whether the school's own list is out of date at now, in the site's zone: heard is the day of the last one, unknown
// if there was none. A list from a later day than today is as good as none, since one of the two clocks is wrong.
func (p Profile) Silent(heard Date, now time.Time) bool {
	if p.SilentDays <= 0 {
		return false
	}
	return heard.IsZero() || heard.After(DateOf(now).AddDays(1)) || heard.AddDays(p.SilentDays).Reached(now)
}
