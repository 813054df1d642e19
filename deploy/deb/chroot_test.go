package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is for how long the test waits for a daemon under emulation.
const patience = 3 * time.Minute

// TestLifeOfAPackage installs the packages on a small Debian, lets the hub and
// the terminal work as their units would start them, upgrades, removes,
// installs again, and purges.
func TestLifeOfAPackage(t *testing.T) {
	m, arch := newMachine(t)
	m.put(t, packed(t), first, arch)
	later := t.TempDir()
	if err := buildAll(repository, later, second, arch); err != nil {
		t.Fatal(err)
	}
	m.put(t, later, second, arch)

	m.dpkg(t, "--install", m.deb("tillprint-terminal", first, arch), m.deb("tillprint-hub", first, arch))
	m.owned(t, "/var/lib/tillprint", "tillprint:tillprint 700")
	m.owned(t, "/var/lib/tillprint-hub", "tillprint-hub:tillprint-hub 700")
	for _, unit := range []string{"tillprintd", "tillprint-hub"} {
		m.exists(t, "/etc/systemd/system/multi-user.target.wants/"+unit+".service", true)
	}

	// What a technician does, as root; what it makes is the daemons'.
	terminals, office, page := address(t), address(t), address(t)
	m.write(t, "/etc/tillprint/tillprint-hub.toml", fmt.Sprintf(
		"[terminals]\nlisten = %q\naddresses = [\"https://%s\"]\n[office]\nlisten = %q\n", terminals, terminals, office))
	config := fmt.Sprintf("# changed here\n[sensor]\nport = \"\"\n[page]\nlisten = %q\n", page)
	m.write(t, "/etc/tillprint/tillprintd.toml", config)
	m.run(t, "tillprint-hub", "init", "--host", "localhost")
	m.owned(t, "/var/lib/tillprint-hub/register.key", "tillprint-hub:tillprint-hub 600")
	m.run(t, "tillprint-hub", "site", "add", "oakfield", "--name", "Oakfield School")
	code := strings.TrimSpace(m.run(t, "tillprint-hub", "join-code", "oakfield", "till-1"))
	hub := m.start(t, "tillprint-hub", "tillprint-hub", "run")
	m.run(t, "tillprintd", "join", code)
	m.owned(t, "/var/lib/tillprint/keytable", "tillprint:tillprint 600")
	m.serves(t, page)

	m.dpkg(t, "--install", m.deb("tillprint-terminal", second, arch))
	if said := m.run(t, "tillprintd", "--version"); !strings.Contains(said, second.version) {
		t.Errorf("after the upgrade: %s", said)
	}
	if m.read(t, "/etc/tillprint/tillprintd.toml") != config {
		t.Error("the upgrade has changed a configuration that was changed here")
	}
	m.serves(t, page)

	m.dpkg(t, "--remove", "tillprint-terminal")
	m.exists(t, "/usr/bin/tillprintd", false)
	m.exists(t, "/var/lib/tillprint/keytable", true)
	if m.read(t, "/etc/tillprint/tillprintd.toml") != config {
		t.Error("the removal has changed the configuration")
	}
	m.dpkg(t, "--install", m.deb("tillprint-terminal", second, arch))
	m.serves(t, page)
	hub()

	m.purges(t)
	m.dpkg(t, "--purge", "tillprint-hub")
	m.exists(t, "/var/lib/tillprint-hub", false)
	m.exists(t, "/etc/tillprint", false)
}

// machine is the root of a Debian, of another architecture where this kernel
// can run it.
type machine struct{ root string }

func newMachine(t *testing.T) (m machine, arch string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("making a Debian to install in takes root")
	}
	need(t, "mmdebstrap", "dpkg-deb", "chroot")
	arch = "arm64"
	if _, err := os.Stat("/proc/sys/fs/binfmt_misc/qemu-aarch64"); err != nil && runtime.GOARCH != "arm64" {
		t.Skip("this machine cannot run arm64 programs: install qemu-user-static, mount binfmt_misc")
	}
	m = machine{filepath.Join(t.TempDir(), "root")}
	if out, err := exec.Command("./chroot", arch, m.root).CombinedOutput(); err != nil {
		t.Skipf("no Debian could be made here (is there a mirror?): %v\n%s", err, out)
	}
	return m, arch
}

func (m machine) deb(name string, r release, arch string) string {
	return fmt.Sprintf("/root/%s_%s_%s.deb", name, r.version, arch)
}

// put copies the packages of a release onto the machine.
func (m machine) put(t *testing.T, dir string, r release, arch string) {
	t.Helper()
	for _, p := range packages {
		name := m.deb(p.name, r, arch)
		b, err := os.ReadFile(filepath.Join(dir, filepath.Base(name)))
		if err != nil {
			t.Fatal(err)
		}
		m.write(t, name, string(b))
	}
}

func (m machine) command(args ...string) *exec.Cmd {
	c := exec.Command("chroot", append([]string{m.root}, args...)...)
	c.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"}
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return c
}

func (m machine) run(t *testing.T, args ...string) string {
	t.Helper()
	var said strings.Builder
	c := m.command(args...)
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(args, " "), err, out, said.String())
	}
	return string(out)
}

func (m machine) dpkg(t *testing.T, args ...string) {
	t.Helper()
	out, err := m.command(append([]string{"dpkg"}, args...)...).CombinedOutput()
	if err != nil || strings.Contains(string(out), "not found") {
		t.Fatalf("dpkg %s: %v\n%s", args[0], err, out)
	}
}

func (m machine) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(m.root, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (m machine) read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(m.root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (m machine) exists(t *testing.T, name string, want bool) {
	t.Helper()
	if _, err := os.Lstat(filepath.Join(m.root, name)); (err == nil) != want {
		t.Errorf("%s: there %v, want %v", name, err == nil, want)
	}
}

func (m machine) owned(t *testing.T, name, want string) {
	t.Helper()
	if got := strings.TrimSpace(m.run(t, "stat", "-c", "%U:%G %a", name)); got != want {
		t.Errorf("%s is %s, want %s", name, got, want)
	}
}

// start runs a daemon as its unit does: as its user, until it has said that it
// is ready and has fed the watchdog. The function that it returns stops it.
func (m machine) start(t *testing.T, user string, args ...string) (stop func()) {
	t.Helper()
	path := "/run/" + user + ".notify"
	os.Remove(filepath.Join(m.root, path))
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(m.root, path), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(m.root, path), 0o666); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	c := m.command(append([]string{"setpriv", "--reuid=" + user, "--regid=" + user, "--init-groups", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"}, args...)...)
	c.Env, c.Stderr = append(c.Env, "NOTIFY_SOCKET="+path, "WATCHDOG_USEC=3000000"), &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait(); notify.Close() }()
	stop = func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		<-ended
		ended <- nil // for a second call
	}
	t.Cleanup(stop)
	_ = notify.SetReadDeadline(time.Now().Add(patience))
	for _, wanted := range []string{"READY=1", "WATCHDOG=1"} {
		told := make([]byte, 4096)
		if n, err := notify.Read(told); err != nil || string(told[:n]) != wanted {
			stop()
			t.Fatalf("%s told systemd %q (%v), want %s\n%s", user, told[:n], err, wanted, said.String())
		}
	}
	_ = notify.SetReadDeadline(time.Time{})
	go func() { _, _ = io.Copy(io.Discard, notify) }() // a full socket would hold up the daemon
	return stop
}

// serves starts the terminal, looks at the operator's page and stops it again.
func (m machine) serves(t *testing.T, page string) {
	t.Helper()
	defer m.start(t, "tillprint", "tillprintd", "run")()
	answer, err := http.Get("http://" + page + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(text), "<html") {
		t.Errorf("the operator's page: %s, %v", answer.Status, err)
	}
}

// purges takes the package off the machine for good. The very file that held
// the root key is kept under a second name: afterwards it must hold none.
func (m machine) purges(t *testing.T) {
	t.Helper()
	m.run(t, "cp", "-a", "/var/lib/tillprint", "/root/kept")
	m.run(t, "ln", "-f", "/var/lib/tillprint/keyslot", "/root/kept/keyslot")
	m.run(t, "cp", "/usr/bin/tillprintd", "/root/tillprintd")
	m.write(t, "/root/kept.toml", "[store]\ndir = \"/root/kept\"\n")
	status := []string{"/root/tillprintd", "keyslot", "status", "--config", "/root/kept.toml"}
	m.run(t, "chmod", "711", "/root")
	if out, err := m.command(status...).CombinedOutput(); err != nil {
		t.Fatalf("before the purge the key must be there: %v\n%s", err, out)
	}
	m.dpkg(t, "--purge", "tillprint-terminal")
	m.exists(t, "/var/lib/tillprint", false)
	m.exists(t, "/etc/tillprint/tillprintd.toml", false)
	m.exists(t, "/etc/systemd/system/multi-user.target.wants/tillprintd.service", false)
	out, err := m.command(status...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "no key") {
		t.Errorf("after the purge a key is left: %v\n%s", err, out)
	}
}

// address is a free one on loopback.
func address(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}
