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
