// Package boot_test starts the image that 'make image' has built, in QEMU (64-bit ARM, emulated), with a simulated sensor on a
// serial line outside the guest and a hub on this machine.
//
// It runs where TILLPRINT_IMAGE names the folder of the image and QEMU is installed, and says so where not. With -short it is
// one start to serving fingers, which 'make test' holds; without, 'make test-boot', it is a terminal's life.
package boot_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tillprint/tillprint/device/zfm/zfmsim"
	"github.com/tillprint/tillprint/matcher/synth"
	"github.com/tillprint/tillprint/sync/register"
)

// flashed is a guest that was never switched on: its card is written by 'tillprint flash', as a technician does.
func flashed(t *testing.T, b board) (*guest, *school) {
	t.Helper()
	g, s := mounted(t, b)
	g.flash(s.joinCode())
	g.settings("[page]\nnetwork = \":8443\"\n[serving]\nfingers = [2]\n[update]\nhours = \"00:00-00:00\"\n")
	wifi := filepath.Join(g.dir, "tillprint-wifi.conf")
	must(t, os.WriteFile(wifi, []byte("country=GB\nnetwork={\n ssid=\"Oakfield\"\n psk=\"oakfield lunch\"\n}\n"), 0o600))
	g.insert(wifi)
	return g, s
}

// mounted is a guest whose card is blank, and a school with its hub.
func mounted(t *testing.T, b board) (*guest, *school) {
	t.Helper()
	images := os.Getenv("TILLPRINT_IMAGE")
	if images == "" {
		t.Skip("TILLPRINT_IMAGE names no folder of 'make image'; 'make boot' builds one and starts it")
	}
	for _, need := range []string{"qemu-system-aarch64", "mcopy", "fdtput"} {
		if _, err := exec.LookPath(need); err != nil {
			t.Skipf("%s is not installed: nothing is booted", need)
		}
	}
	bin := t.TempDir()
	run(t, "../..", "go", "build", "-o", bin+"/", "./cmd/tillprint", "./cmd/tillprint-hub")
	s := newSchool(t, filepath.Join(bin, "tillprint-hub"))
	g := &guest{t: t, dir: t.TempDir(), bin: bin, images: images, board: b, finger: synth.NewMaster(7)}
	g.browser = browser(s.trusted, func() string { return g.page })
	g.plugSensor()
	t.Cleanup(func() {
		if g.qemu != nil {
			g.cut()
		}
		if t.Failed() {
			t.Logf("the console ends with\n%s", tail(g.console()))
		}
	})
	return g, s
}

// flash writes the image onto the card.
func (g *guest) flash(code string) {
	g.t.Helper()
	card := filepath.Join(g.dir, "card")
	must(g.t, os.WriteFile(card, nil, 0o600))
	must(g.t, os.Truncate(card, 4<<30)) // QEMU takes powers of two only
	run(g.t, g.dir, filepath.Join(g.bin, "tillprint"), "flash", "--image", filepath.Join(g.images, "tillprint.img.zst"), "--join", code, "--yes", card)
}

// insert puts files onto the card's first partition, as a technician does whose machine shows it.
func (g *guest) insert(files ...string) {
	g.t.Helper()
	run(g.t, g.dir, "mcopy", append(append([]string{"-o", "-i", filepath.Join(g.dir, "card") + "@@4M"}, files...), "::")...)
}

// settings puts the terminal's settings there.
func (g *guest) settings(text string) {
	g.t.Helper()
	file := filepath.Join(g.dir, "tillprintd.toml")
	must(g.t, os.WriteFile(file, []byte(text), 0o600))
	g.insert(file)
}

// plugSensor connects a simulated R503, already at the rate that QEMU gives every line.
func (g *guest) plugSensor() {
	g.t.Helper()
	g.sensor = filepath.Join(g.dir, "sensor")
	var err error
	g.sim, err = zfmsim.New(zfmsim.Options{Model: zfmsim.R503, Paced: true, Baud: 115200, Grain: true, Link: g.sensor})
	must(g.t, err)
	g.t.Cleanup(func() { g.sim.Close() })
	go g.sim.Run(g.t.Context()) // ends with the test
}

// told prints a figure of this run, also without -v.
func told(what string, d time.Duration) { fmt.Printf("%s: %.0f s (emulated)\n", what, d.Seconds()) }

// A flashed card joins its school and serves. What comes after that is its life.
func TestServes(t *testing.T) {
	g, s := flashed(t, plain)
	g.firstStart(s)
	if !testing.Short() {
		live(t, g, s)
	}
}

// firstStart is a blank card's way to fingers: it joins with the file on it, and the office commissions it meanwhile.
func (g *guest) firstStart(s *school) {
	g.t.Helper()
	g.power(false)
	g.until("the terminal having joined", s.joined) // or being known from a start before this one
	s.commission(register.ModePIN)
	told("first start, power to serving PINs", g.servesPINs())
	s.commission(register.ModeFingers)
	told("first start, power to serving fingers", g.servesFingers())
	g.until("a status at the hub", func() bool { return s.status(g.on).Fingers })
	// The hub stages updates only for a terminal that knows which version runs on it.
	g.until("the hub hearing which version runs", func() bool { return s.status(g.on).Update.Sequence != 0 })
	g.consumed("tillprint-join.toml", "tillprintd.toml", "tillprint-wifi.conf")
}

// consumed checks that files are not on the card's first partition any more.
func (g *guest) consumed(names ...string) {
	g.t.Helper()
	for _, name := range names {
		if g.holds(name) {
			g.t.Errorf("%s is still on the card's first partition", name)
		}
	}
}

// holds reports whether a file is on the card's first partition.
func (g *guest) holds(name string) bool {
	g.t.Helper()
	card, err := os.Open(filepath.Join(g.dir, "card"))
	must(g.t, err)
	defer card.Close()
	_, err = g.partition(card, 1).ReadFile(name)
	return err == nil
}

// On a Raspberry Pi 3 the card, the network and the sensor's line are reached by the drivers that a board uses.
func TestPi3(t *testing.T) {
	if testing.Short() {
		t.Skip("a Raspberry Pi 3 is emulated slowly: not with -short")
	}
	g, s := flashed(t, pi3)
	g.firstStart(s)
}
