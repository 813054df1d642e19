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
	g := &guest{t: t, dir: t.TempDir(), images: images, board: b, finger: synth.NewMaster(7)}
	g.plugSensor()
	card := filepath.Join(g.dir, "card")
	must(t, os.WriteFile(card, nil, 0o600))
	must(t, os.Truncate(card, 4<<30)) // QEMU takes powers of two only
	code := run(t, s.dir, filepath.Join(bin, "tillprint-hub"), "join-code", site, terminal, "-c", "hub.toml")
	run(t, g.dir, filepath.Join(bin, "tillprint"), "flash", "--image", filepath.Join(images, "tillprint.img.zst"), "--join", code, "--yes", card)
	// The page listens on loopback; for once it must be reached from outside the guest.
	settings := filepath.Join(g.dir, "tillprintd.toml")
	must(t, os.WriteFile(settings, []byte("[page]\nlisten = \"0.0.0.0:8080\"\ninsecure_without_login = true\n[serving]\nfingers = [2]\n"), 0o600))
	wifi := filepath.Join(g.dir, "tillprint-wifi.conf")
	must(t, os.WriteFile(wifi, []byte("country=GB\nnetwork={\n ssid=\"Oakfield\"\n psk=\"oakfield lunch\"\n}\n"), 0o600))
	run(t, g.dir, "mcopy", "-i", card+"@@4M", settings, wifi, "::")
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
	card, err := os.Open(filepath.Join(g.dir, "card"))
	must(g.t, err)
	defer card.Close()
	for _, name := range names {
		if text, err := g.partition(card, 1).ReadFile(name); err == nil {
			g.t.Errorf("%s (%d bytes) is still on the card's first partition", name, len(text))
		}
	}
}

// On a Raspberry Pi 3 the card, the network and the sensor's line are reached by the drivers that a board uses.
func TestPi3(t *testing.T) {
	if testing.Short() {
		t.Skip("a Raspberry Pi 3 is emulated slowly: not with -short")
	}
	g, s := flashed(t, pi3)
	g.firstStart(s)
}
