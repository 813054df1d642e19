package terminald

import (
	"fmt"
	"time"
)

// Hours is a span of the day, "18:00-05:00" as in the configuration. The zero Hours is the whole day.
type Hours struct{ from, until time.Duration }

const clockForm = "15:04"

// UnmarshalText reads two times of day.
func (h *Hours) UnmarshalText(text []byte) error {
	if len(text) != 11 || text[5] != '-' {
		return fmt.Errorf("%.20q is no span of the day; write it as 18:00-05:00", text)
	}
	for i, into := range []*time.Duration{&h.from, &h.until} {
		t, err := time.Parse(clockForm, string(text[6*i:6*i+5]))
		if err != nil {
			return fmt.Errorf("%.20q is no span of the day; write it as 18:00-05:00", text)
		}
		*into = time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
	}
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (h Hours) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

func (h Hours) String() string {
	midnight := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	return midnight.Add(h.from).Format(clockForm) + "-" + midnight.Add(h.until).Format(clockForm)
}

// Hold reports whether t, in its own location, lies within.
func (h Hours) Hold(t time.Time) bool {
	at := time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
	if h.from < h.until {
		return h.from <= at && at < h.until
	}
	return at >= h.from || at < h.until
}

// End is when the span that t lies in ends.
func (h Hours) End(t time.Time) time.Time {
	year, month, day := t.Date()
	end := time.Date(year, month, day, 0, int(h.until.Minutes()), 0, 0, t.Location())
	if !end.After(t) {
		end = time.Date(year, month, day+1, 0, int(h.until.Minutes()), 0, 0, t.Location())
	}
	return end
}
