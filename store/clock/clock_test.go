package clock_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tillprint/tillprint/store/clock"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// machine is a computer whose clock can be set and whose card can fail.
type machine struct {
	now   time.Time
	saved time.Time
	fault error
}

func (m *machine) clock() *clock.Clock {
	return clock.Open(func() time.Time { return m.now }, m.saved, func(t time.Time) error {
		if m.fault == nil {
			m.saved = t
		}
		return m.fault
	})
}

func TestNeverEarlierThanTheMark(t *testing.T) {
	m := &machine{now: time.Unix(0, 0), saved: noon}
	c := m.clock()
	if got := c.Now(); !got.Equal(noon) || c.Trusted() {
		t.Errorf("a boot in 1970 is %s, trusted: %t", got, c.Trusted())
	}
	if err := c.Witness(noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	m.now = m.now.Add(time.Minute)
	if got := c.Now(); !got.Equal(noon.Add(time.Hour+time.Minute)) || !c.Trusted() {
		t.Errorf("with the hub's time and a minute it is %s, trusted: %t", got, c.Trusted())
	}
	m.now = m.now.Add(-24 * time.Hour) // somebody sets the machine's clock back
	if got := c.Now(); got.Before(noon.Add(time.Hour + time.Minute)) {
		t.Errorf("time ran back to %s", got)
	}
	m.now = time.Unix(0, 0)
	if got := m.clock().Now(); got.Before(noon.Add(time.Hour)) {
		t.Errorf("a restart went back to %s", got)
	}
}

func TestTrust(t *testing.T) {
	for _, tc := range []struct {
		name  string
		ahead time.Duration
		mark  time.Time
		want  bool
	}{
		{"after the weekend", 60 * time.Hour, noon, true},
		{"after the holidays", 45 * 24 * time.Hour, noon, true},
		{"years ahead", 5 * 365 * 24 * time.Hour, noon, false},
		{"behind", -time.Second, noon, false},
		{"a new terminal", 0, time.Time{}, false},
	} {
		m := &machine{now: noon.Add(tc.ahead), saved: tc.mark}
		c := m.clock()
		if got := c.Trusted(); got != tc.want {
			t.Errorf("%s: trusted is %t", tc.name, got)
		}
		c.Now()
		if !tc.want && c.Mark().After(tc.mark) {
			t.Errorf("%s: a time that is not trusted has moved the mark", tc.name)
		}
	}
}

func TestWitnessThatReplaysThePast(t *testing.T) {
	m := &machine{now: noon, saved: noon}
	c := m.clock()
	if err := c.Witness(noon.Add(-time.Hour)); err == nil || c.Now().Before(noon) {
		t.Errorf("an old time is believed: %v", err)
	}
	if err := c.Witness(noon.Add(-clock.Drift)); err != nil {
		t.Errorf("a small drift is refused: %v", err)
	}
}

func TestTickKeepsTheMark(t *testing.T) {
	m := &machine{now: noon, saved: noon.Add(-time.Minute)}
	c := m.clock()
	if err := c.Tick(); err != nil || !m.saved.Equal(noon.Add(-time.Minute)) {
		t.Errorf("a minute was worth a write: %s, %v", m.saved, err)
	}
	m.now = noon.Add(clock.SaveEvery)
	m.fault = errors.New("card full")
	if err := c.Tick(); !errors.Is(err, m.fault) {
		t.Errorf("a mark that could not be kept: %v", err)
	}
	m.fault = nil
	if err := c.Tick(); err != nil || !m.saved.Equal(noon.Add(clock.SaveEvery-time.Minute)) { // what has passed since the start
		t.Errorf("kept %s: %v", m.saved, err)
	}
}

// The store that keeps the mark asks for the time while it writes.
func TestSavingMayAskForTheTime(t *testing.T) {
	var c *clock.Clock
	saved := false
	c = clock.Open(func() time.Time { return noon }, time.Time{}, func(mark time.Time) error {
		saved = !c.Now().Before(mark)
		return nil
	})
	if err := c.Witness(noon); err != nil || !saved {
		t.Errorf("saved: %t, %v", saved, err)
	}
}
