package keypad

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"
	"periph.io/x/conn/v3/gpio/gpiotest"

	"github.com/tillprint/tillprint/device/panel"
)

// matrix is a keypad's contacts between fake pins: a row reads low when a key that is down joins it, by whatever way
// round, to a column that is driven low. So several keys at once show ghosts, as without diodes they really do.
type matrix struct {
	mu      sync.Mutex
	columns []*columnPin
	down    map[[2]int]bool // row, column
}

type rowPin struct {
	gpiotest.Pin
	m *matrix
	r int
}

// columnPin knows whether it is driven.
type columnPin struct {
	gpiotest.Pin
	m      *matrix
	driven bool
	high   bool // was ever driven high, which shorts columns
}

func (p *columnPin) Out(l gpio.Level) error {
	p.m.mu.Lock()
	p.driven = true
	p.high = p.high || l == gpio.High
	p.m.mu.Unlock()
	return p.Pin.Out(l)
}

func (p *columnPin) In(pull gpio.Pull, edge gpio.Edge) error {
	p.m.mu.Lock()
	p.driven = false
	p.m.mu.Unlock()
	return p.Pin.In(pull, edge)
}

func (p *rowPin) Read() gpio.Level {
	p.m.mu.Lock()
	defer p.m.mu.Unlock()
	return !gpio.Level(p.m.reaches(p.r, map[int]bool{}))
}

// reaches follows closed contacts from a row to a driven column.
func (m *matrix) reaches(row int, seen map[int]bool) bool {
	seen[row] = true
	for at := range m.down {
		if at[0] != row {
			continue
		}
		if m.columns[at[1]].driven {
			return true
		}
		for other := range m.down {
			if other[1] == at[1] && !seen[other[0]] && m.reaches(other[0], seen) {
				return true
			}
		}
	}
	return false
}

func (m *matrix) set(key rune, down bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for r, keys := range layout {
		if c := strings.IndexRune(keys, key); c >= 0 {
			if down {
				m.down[[2]int{r, c}] = true
			} else {
				delete(m.down, [2]int{r, c})
			}
		}
	}
}

// wire registers the pins of a keypad with that many columns for the length of a test.
func wire(t *testing.T, columns int) (m *matrix, rowNames, columnNames []string) {
	t.Helper()
	m = &matrix{down: map[[2]int]bool{}}
	register := func(p gpio.PinIO) {
		if err := gpioreg.Register(p); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { gpioreg.Unregister(p.Name()) })
	}
	for r := range layout {
		name := "KEYROW" + string(rune('0'+r))
		register(&rowPin{Pin: gpiotest.Pin{N: name, Num: 9100 + r}, m: m, r: r})
		rowNames = append(rowNames, name)
	}
	for c := range columns {
		p := &columnPin{Pin: gpiotest.Pin{N: "KEYCOLUMN" + string(rune('0'+c)), Num: 9110 + c}, m: m}
		register(p)
		m.columns = append(m.columns, p)
		columnNames = append(columnNames, p.N)
	}
	return m, rowNames, columnNames
}

func TestMain(m *testing.M) {
	panel.Find("none", "test", slog.New(slog.DiscardHandler)) // looks for real pins once, outside the bubbles
	m.Run()
}

// typed runs the keypad while act plays, and returns what was keyed.
func typed(t *testing.T, columns int, act func(m *matrix)) (keys string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m, rows, cols := wire(t, columns)
		k := Open(rows, cols, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			k.Run(ctx)
		}()
		act(m)
		time.Sleep(time.Second)
		cancel()
		<-ended
		for len(k.keys) > 0 {
			keys += string(<-k.Keys())
		}
		for _, c := range m.columns {
			if c.high || c.driven {
				t.Errorf("column %s: driven high %t, still driven %t", c.N, c.high, c.driven)
			}
		}
	})
	return keys
}

// hold keeps a key down, then up, each for d.
func hold(m *matrix, key rune, d time.Duration) {
	m.set(key, true)
	time.Sleep(d)
	m.set(key, false)
	time.Sleep(d)
}

// Every key of both sizes, once each.
func TestEveryKey(t *testing.T) {
	for columns, want := range map[int]string{3: "123456789*0#", 4: "123A456B789C*0#D"} {
		got := typed(t, columns, func(m *matrix) {
			for _, key := range want {
				hold(m, key, 80*time.Millisecond)
			}
		})
		if got != want {
			t.Errorf("%d columns: keyed %q, read %q", columns, want, got)
		}
	}
}

// How fingers and contacts really behave.
func TestDebounce(t *testing.T) {
	cases := []struct {
		name, want string
		act        func(m *matrix)
	}{
		{"held long: once", "5", func(m *matrix) { hold(m, '5', 3*time.Second) }},
		{"bouncing at both ends: once", "5", func(m *matrix) {
			for range 4 {
				hold(m, '5', 3*time.Millisecond)
			}
			hold(m, '5', 100*time.Millisecond)
			for range 4 {
				hold(m, '5', 3*time.Millisecond)
			}
		}},
		{"a spark: nothing", "", func(m *matrix) { hold(m, '5', 8*time.Millisecond) }},
		{"twice the same", "55", func(m *matrix) {
			hold(m, '5', 60*time.Millisecond)
			hold(m, '5', 60*time.Millisecond)
		}},
		{"two at once: nothing until one is left", "6", func(m *matrix) {
			m.set('5', true)
			m.set('6', true)
			time.Sleep(100 * time.Millisecond)
			m.set('5', false)
			time.Sleep(100 * time.Millisecond)
			m.set('6', false)
		}},
		{"three corners of a square: no ghost", "", func(m *matrix) {
			for _, key := range "124" {
				m.set(key, true)
			}
			time.Sleep(100 * time.Millisecond)
			for _, key := range "124" {
				m.set(key, false)
			}
		}},
		{"rolled from one to the next", "12", func(m *matrix) {
			m.set('1', true)
			time.Sleep(60 * time.Millisecond)
			m.set('2', true)
			time.Sleep(60 * time.Millisecond)
			m.set('1', false)
			time.Sleep(60 * time.Millisecond)
			m.set('2', false)
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := typed(t, 3, c.act); got != c.want {
				t.Errorf("read %q, want %q", got, c.want)
			}
		})
	}
}

// Without a reader only the last keys wait.
func TestNobodyReads(t *testing.T) {
	got := typed(t, 3, func(m *matrix) {
		for i := range 30 {
			hold(m, rune('0'+i%10), 60*time.Millisecond)
		}
	})
	if want := "4567890123456789"; got != want {
		t.Errorf("kept %q, want %q", got, want)
	}
}

// What is not there is not missed, and never more than a line in the log.
func TestOpenAbsent(t *testing.T) {
	_, rows, columns := wire(t, 3)
	cases := []struct {
		name          string
		rows, columns []string
		logs          string
	}{
		{"no keypad", nil, nil, ""},
		{"too few rows", rows[:3], columns, "four rows"},
		{"too many columns", rows, append(columns, "X", "Y"), "four rows"},
		{"an absent pin", rows, []string{columns[0], columns[1], "GPIO9999"}, "GPIO9999"},
	}
	for _, c := range cases {
		var log bytes.Buffer
		k := Open(c.rows, c.columns, slog.New(slog.NewTextHandler(&log, nil)))
		lines := strings.Count(log.String(), "\n")
		if k != nil || !strings.Contains(log.String(), c.logs) || lines > 1 || (c.logs == "") != (lines == 0) {
			t.Errorf("%s: logged %q", c.name, log.String())
		}
	}
}

// broken is a pin that fails.
type broken struct{ gpiotest.Pin }

func (b *broken) In(gpio.Pull, gpio.Edge) error { return errors.New("in use") }

// A pin that fails is logged once, and there is no keypad.
func TestOpenBroken(t *testing.T) {
	_, rows, columns := wire(t, 2)
	b := &broken{gpiotest.Pin{N: "BROKEN", Num: 9120}}
	if err := gpioreg.Register(b); err != nil {
		t.Fatal(err)
	}
	defer gpioreg.Unregister("BROKEN")
	var log bytes.Buffer
	k := Open(rows, append(columns, "BROKEN"), slog.New(slog.NewTextHandler(&log, nil)))
	if k != nil || strings.Count(log.String(), "\n") != 1 {
		t.Errorf("logged %q", log.String())
	}
}
