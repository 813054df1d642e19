package selftest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tillprint/tillprint/device/panel"
	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/device/zfm/zfmsim"
	"github.com/tillprint/tillprint/matcher/synth"
)

func module(t *testing.T, o zfmsim.Options) *zfmsim.Sim {
	t.Helper()
	sim, err := zfmsim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	go sim.Run(t.Context())
	t.Cleanup(func() { sim.Close() })
	return sim
}

// found is what a plan finds of one part.
func found(t *testing.T, p Plan, part string) (all []string) {
	t.Helper()
	p.Dir = t.TempDir()
	for _, c := range Run(t.Context(), p) {
		if c.Part == part {
			all = append(all, c.Level+" "+c.Words)
		}
	}
	return all
}

func want(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("found %q, want %d lines like %q", got, len(want), want)
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("found %q, want %q", got[i], want[i])
		}
	}
}

func TestSensor(t *testing.T) {
	r503, r307 := module(t, zfmsim.Options{}), module(t, zfmsim.Options{Model: zfmsim.R307})
	locked := module(t, zfmsim.Options{Password: 7})
	want(t, found(t, Plan{Port: r503.Path()}, "Sensor"), "family r503, answers at 115200 baud")
	want(t, found(t, Plan{Port: r307.Path(), Sensor: zfm.Options{Family: zfm.R503, Baud: -1}}, "Sensor"),
		"family zfm, answers at 57600 baud", "bad the settings say family r503, the module is a zfm: correct sensor.family")
	want(t, found(t, Plan{Port: locked.Path()}, "Sensor"), "bad module asks for another password")
	want(t, found(t, Plan{Port: "/dev/nosuch"}, "Sensor"), "bad no device at /dev/nosuch: connect the sensor")
	want(t, found(t, Plan{Port: "/dev/null"}, "Sensor"), "bad")
	want(t, found(t, Plan{}, "Sensor"), "warn none in the settings")
	want(t, found(t, Plan{Port: r503.Path(), Busy: "ready"}, "Sensor"), "good in use, not disturbed: ready")
	want(t, found(t, Plan{Port: r503.Path(), Away: "not there: connect it"}, "Sensor"), "bad not there: connect it")
	want(t, found(t, Plan{Port: r503.Path()}, "Image"), "not taken")
}

// Nothing answers: the search ends in a plain message.
func TestNoModuleOnThePort(t *testing.T) {
	sim, err := zfmsim.New(zfmsim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close() // and nobody runs it
	o := zfm.Options{Bauds: []int{57600}, Reply: 20 * time.Millisecond}
	want(t, found(t, Plan{Port: sim.Path(), Sensor: o}, "Sensor"), "bad no fingerprint module answers")
}

func TestImage(t *testing.T) {
	sim := module(t, zfmsim.Options{Model: zfmsim.R307})
	finger := synth.NewMaster(3).Impression(0, synth.Conditions{})
	var asked []string
	p := Plan{Port: sim.Path(), Quality: 25, Hands: true, Say: func(format string, args ...any) {
		asked = append(asked, fmt.Sprintf(format, args...))
		if err := sim.Press(sim.Sensor().Press(finger)); err != nil {
			t.Error(err)
		}
	}}
	want(t, found(t, p, "Image"), "good 256x288, quality ")
	if len(asked) != 1 || asked[0] != "Lay a finger of yours on the sensor." {
		t.Errorf("asked %q", asked)
	}
}

func TestASecondPortIsNamedAndNotOpened(t *testing.T) {
	dev := t.TempDir()
	for _, name := range []string{"ttyUSB0", "ttyUSB1", "ttyACM0", "ttyS0"} {
		if err := os.WriteFile(filepath.Join(dev, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(dev, "serial0")
	if err := os.Symlink(filepath.Join(dev, "ttyUSB0"), link); err != nil {
		t.Fatal(err)
	}
	want(t, otherPorts(dev, link), "ttyUSB1", "ttyACM0")
}

// A pin that the board lacks is named; lunch goes on without it.
func TestPinsThatAreNotThere(t *testing.T) {
	four, three := []string{"NO1", "NO2", "NO3", "NO4"}, []string{"NO5", "NO6", "NO7"}
	for _, beside := range []bool{false, true} {
		p := Plan{Touch: "NO8", Lights: panel.Pins{Ready: "NO9", Buzzer: "NO10"}, Rows: four, Columns: three, Beside: beside}
		for _, part := range []string{"Touch line", "Ready light", "Buzzer", "Keypad"} {
			want(t, found(t, p, part), "no such pin")
		}
		if got := found(t, p, "Busy light"); len(got) != 0 {
			t.Errorf("a light that is not named: %q", got)
		}
	}
}

func TestClock(t *testing.T) {
	in := fstest.MapFS{"class/rtc/rtc0/name": {Data: []byte("rtc-ds1307 1-0068\n")}}
	for _, c := range []struct {
		year      int
		sys       fstest.MapFS
		confirmed bool
		want      string
	}{
		{2026, in, true, "good clock module rtc-ds1307 1-0068; the hub has confirmed it"},
		{2026, nil, false, "good no clock module"},
		{1970, nil, false, "warn no clock module: the time comes from the network, and from the hub; it says 1970-01-01, which cannot be"},
	} {
		var f findings
		Plan{Confirmed: func() bool { return c.confirmed }}.clock(&f, c.sys, time.Date(c.year, 1, 1, 0, 0, 0, 0, time.UTC))
		want(t, []string{f[0].Level + " " + f[0].Words}, c.want)
	}
}

func TestCard(t *testing.T) {
	dir := t.TempDir()
	var f findings
	Plan{Dir: dir}.card(&f)
	if f[0].Level == "bad" || !strings.Contains(f[0].Words, "MB/s") {
		t.Errorf("found %v", f)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("it leaves %q", left)
	}
	Plan{Dir: filepath.Join(dir, "gone")}.card(&f)
	want(t, []string{f[1].Level + " " + f[1].Words}, "bad it cannot be written")
}

func TestSummary(t *testing.T) {
	f := findings{}
	f.good("Clock", "x")
	if level, words := Summary(f); level != "good" || words != "all good" {
		t.Errorf("%s %s", level, words)
	}
	f.bad("Sensor", "x")
	f.warn("Card", "x")
	if level, words := Summary(f); level != "bad" || words != "look at: Sensor, Card" {
		t.Errorf("%s %s", level, words)
	}
}
