// Package boot_test starts the image that 'make image' has built, in QEMU (a 64-bit ARM machine, emulated), with a
// simulated sensor on a serial line outside the guest and a hub on this machine.
//
// It runs where TILLPRINT_IMAGE names the folder of the image and QEMU is installed, and says so where not.
package boot_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// school is a hub on this machine, as the guest and the test see it.
type school struct {
	dir, office, token string
}

// run runs one of the commands to its end and returns what it printed.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	c := exec.Command(name, args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// start starts a command that lasts as long as the test. input, if not nil, stays open until then.
func start(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	c := exec.Command(name, args...)
	c.Dir, c.Stderr = dir, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	input, err := c.StdinPipe()
	must(t, err)
	must(t, c.Start())
	t.Cleanup(func() { input.Close(); _ = c.Process.Signal(syscall.SIGTERM); _ = c.Wait() })
}

func port(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	_, p, err := net.SplitHostPort(l.Addr().String())
	must(t, err)
	return p
}

// newSchool starts a hub. The guest reaches this machine as 10.0.2.2.
func newSchool(t *testing.T, hub string) school {
	t.Helper()
	s, terminals := school{dir: t.TempDir(), office: "127.0.0.1:" + port(t)}, port(t)
	text := fmt.Sprintf("dir = \"hub\"\n[terminals]\nlisten = \"127.0.0.1:%s\"\naddresses = [\"https://10.0.2.2:%s\"]\n[office]\nlisten = %q\n[pin]\nmemory_kib = 1024\npasses = 1\n",
		terminals, terminals, s.office)
	must(t, os.WriteFile(filepath.Join(s.dir, "hub.toml"), []byte(text), 0o600))
	run(t, s.dir, hub, "init", "-c", "hub.toml")
	run(t, s.dir, hub, "site", "add", "oakfield", "--name", "Oakfield School", "--contact", "dpo@oakfield.example", "-c", "hub.toml")
	s.token = run(t, s.dir, hub, "officer", "token", "oakfield", "test", "-c", "hub.toml")
	start(t, s.dir, hub, "run", "-c", "hub.toml")
	return s
}

// joined reports whether the hub has heard from the terminal after the given moment.
func (s school) joined(t *testing.T, terminal string, after time.Time) bool {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.office+"/office/api/terminals", nil)
	must(t, err)
	r.Header.Set("Authorization", "Bearer "+s.token)
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	defer answer.Body.Close()
	var all []struct {
		Terminal string
		Contact  time.Time
		Status   struct{ Version string }
	}
	must(t, json.NewDecoder(answer.Body).Decode(&all))
	for _, x := range all {
		if x.Terminal == terminal && x.Contact.After(after) && x.Status.Version != "" {
			return true
		}
	}
	return false
}

// tools builds the commands that stand outside the guest.
func tools(t *testing.T) (hub, hand string) {
	t.Helper()
	dir := t.TempDir()
	run(t, "../..", "go", "build", "-o", dir+"/", "./cmd/tillprint", "./cmd/tillprint-hub")
	return filepath.Join(dir, "tillprint-hub"), filepath.Join(dir, "tillprint")
}

// flashed is a guest that was never switched on: its card is written by 'tillprint flash', as a technician does.
func flashed(t *testing.T) (*guest, school) {
	t.Helper()
	images := os.Getenv("TILLPRINT_IMAGE")
	if images == "" {
		t.Skip("TILLPRINT_IMAGE names no folder of 'make image'; 'make test-boot' builds it")
	}
	for _, need := range []string{"qemu-system-aarch64", "mcopy"} {
		if _, err := exec.LookPath(need); err != nil {
			t.Skipf("%s is not installed: nothing is booted", need)
		}
	}
	hub, hand := tools(t)
	s := newSchool(t, hub)
	g := &guest{t: t, dir: t.TempDir()}
	g.sensor = filepath.Join(g.dir, "sensor")
	start(t, g.dir, hand, "sensor", "sim", "--baud", "115200", "--model", "r503", "--link", g.sensor)
	card := filepath.Join(g.dir, "card")
	must(t, os.WriteFile(card, nil, 0o600))
	must(t, os.Truncate(card, 4_000_000_000))
	code := run(t, s.dir, hub, "join-code", "oakfield", "till-1", "-c", "hub.toml")
	run(t, g.dir, hand, "flash", "--image", filepath.Join(images, "tillprint.img.zst"), "--join", code, "--yes", card)
	// The page listens on loopback; for once it must be reached from outside the guest.
	settings := filepath.Join(g.dir, "tillprintd.toml")
	must(t, os.WriteFile(settings, []byte("[page]\nlisten = \"0.0.0.0:8080\"\n"), 0o600))
	run(t, g.dir, "mcopy", "-i", card+"@@4M", settings, "::")
	t.Cleanup(func() {
		if g.qemu != nil {
			g.cut()
		}
	})
	return g, s
}

// A flashed card joins its school and serves, and does so again after its power was cut.
func TestFirstStart(t *testing.T) {
	g, s := flashed(t)
	g.power(false)
	fmt.Printf("first start: %.0f s from power to serving PINs (emulated; card made, joined)\n", g.serving().Seconds())
	g.until("the hub hearing from it", func() bool { return s.joined(t, "till-1", time.Time{}) })
	fmt.Printf("first start: %.0f s from power to a status at the hub\n", time.Since(g.on).Seconds())
	if testing.Short() {
		return
	}
	g.cut()
	from := int64(len(g.console(0)))
	g.power(false)
	fmt.Printf("after a power cut: %.0f s from power to serving PINs (emulated)\n", g.serving().Seconds())
	g.until("the hub hearing from it again", func() bool { return s.joined(t, "till-1", g.on) })
	if bytes.Contains(g.console(from), []byte("this is now terminal")) {
		t.Error("it joined a second time")
	}
}
