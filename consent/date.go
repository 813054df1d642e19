package consent

import (
	"cmp"
	"fmt"
	"time"
)

// Date is a civil date, such as a birthday or the day a pupil leaves. The zero Date means that the date is not known.
type Date struct {
	Year  int // 1 to 9999
	Month time.Month
	Day   int // 1 to 31
}

// DateOf returns the date of t in t's own location: convert t to the site's time zone first.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// ParseDate reads "2006-01-02", strictly. The empty string gives the zero Date.
func ParseDate(s string) (Date, error) {
	if s == "" {
		return Date{}, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1 {
		return Date{}, fmt.Errorf("consent: %.20q is no date: write it as 2026-09-01", s)
	}
	return DateOf(t), nil
}

// IsZero reports whether the date is unknown.
func (d Date) IsZero() bool { return d == Date{} }

// Valid reports whether d is a day of the calendar in the years 1 to 9999.
func (d Date) Valid() bool {
	return d.Year >= 1 && d.Year <= 9999 && DateOf(d.Start(time.UTC)) == d
}

// Start is the first moment of the day in loc; where summer time begins at midnight, that is one o'clock.
func (d Date) Start(loc *time.Location) time.Time {
	t := time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, loc)
	if DateOf(t).Before(d) {
		t = t.Add(time.Hour)
	}
	return t
}

// Compare is negative if d is before e, zero if they are the same day, positive if d is after e.
func (d Date) Compare(e Date) int {
	return cmp.Or(cmp.Compare(d.Year, e.Year), cmp.Compare(d.Month, e.Month), cmp.Compare(d.Day, e.Day))
}

func (d Date) Before(e Date) bool { return d.Compare(e) < 0 }
func (d Date) After(e Date) bool  { return d.Compare(e) > 0 }

// On reports whether t, in its own location, falls on d.
func (d Date) On(t time.Time) bool { return DateOf(t) == d }

// Reached reports whether t, in its own location, is on d or later. An unknown date is never reached.
func (d Date) Reached(t time.Time) bool { return !d.IsZero() && !d.After(DateOf(t)) }

// AddDays moves by whole days. An unknown date stays unknown.
func (d Date) AddDays(n int) Date {
	if d.IsZero() {
		return d
	}
	return DateOf(time.Date(d.Year, d.Month, d.Day+n, 0, 0, 0, 0, time.UTC))
}

// Anniversary is the date the given number of years later, as England and Wales count age: who was born on 29 February
// comes of age on 1 March when the year is not a leap year. An unknown date stays unknown.
func (d Date) Anniversary(years int) Date {
	if d.IsZero() {
		return d
	}
	return DateOf(time.Date(d.Year+years, d.Month, d.Day, 0, 0, 0, 0, time.UTC))
}

func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)
}

// MarshalText writes 2006-01-02, or nothing for an unknown date.
func (d Date) MarshalText() ([]byte, error) {
	if !d.IsZero() && !d.Valid() {
		return nil, fmt.Errorf("consent: %d-%d-%d is no date", d.Year, int(d.Month), d.Day)
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (d *Date) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDate(string(b))
	return err
}
