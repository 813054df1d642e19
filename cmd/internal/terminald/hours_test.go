package terminald

import (
	"testing"
	"time"
)

func TestHours(t *testing.T) {
	for _, c := range []struct {
		span, at string
		want     bool
	}{
		{"18:00-05:00", "18:00", true}, {"18:00-05:00", "04:59", true}, {"18:00-05:00", "05:00", false}, {"18:00-05:00", "12:10", false},
		{"13:30-14:15", "13:29", false}, {"13:30-14:15", "14:14", true}, {"13:30-14:15", "14:15", false}, {"00:00-00:00", "12:00", true},
	} {
		var h Hours
		if err := h.UnmarshalText([]byte(c.span)); err != nil || h.String() != c.span {
			t.Fatalf("%s: %v, %v", c.span, h, err)
		}
		at, err := time.Parse(clockForm, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if h.Hold(at) != c.want {
			t.Errorf("%s at %s: %v", c.span, c.at, !c.want)
		}
	}
	for _, bad := range []string{"", "night", "18:00", "18:00-5:00", "25:00-05:00", "18:00-05:00 "} {
		if err := new(Hours).UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestHoursEnd(t *testing.T) {
	zone := time.FixedZone("there", 3600)
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 11, day, hour, minute, 0, 0, zone) }
	for text, cases := range map[string]map[time.Time]time.Time{
		"18:00-05:30": {at(28, 22, 0): at(29, 5, 30), at(29, 5, 29): at(29, 5, 30)},
		"01:00-05:00": {at(28, 1, 0): at(28, 5, 0)},
		"18:00-00:00": {at(28, 22, 0): at(29, 0, 0)},
	} {
		var h Hours
		if err := h.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
		for now, want := range cases {
			if got := h.End(now); !got.Equal(want) {
				t.Errorf("%s at %v ends at %v, want %v", text, now, got, want)
			}
		}
	}
}
