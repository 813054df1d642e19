package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const repository = "../.."

// A release that the tests build, and the one that follows it.
var first, second = release{"1.0.0", time.Unix(1790000000, 0).UTC()}, release{"1.1.0", time.Unix(1790003600, 0).UTC()}

// archs are those that the tests build for.
func archs() []string {
	if os.Getenv("TILLPRINT_LONG") != "" {
		return []string{"arm64", "armhf", "amd64"}
	}
	return []string{"arm64"}
}

// built are the packages of the first release, made once for all tests.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "tillprint-packages-")
	if err != nil {
		return "", err
	}
	builtIn = dir
	return dir, buildAll(repository, dir, first, archs()...)
})

// builtIn is the folder of built, once a test has asked for it.
var builtIn string

func TestMain(m *testing.M) {
	code := m.Run()
	if builtIn != "" {
		os.RemoveAll(builtIn)
	}
	os.Exit(code)
}

func packed(t *testing.T) string {
	t.Helper()
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func buildAll(root, out string, r release, archs ...string) error {
	os.Setenv("SOURCE_DATE_EPOCH", strconv.FormatInt(r.at.Unix(), 10))
	_, err := run(root, out, r.version, "", archs)
	return err
}

// TestSameCommitSameBytes builds a second time, from a copy of the sources at
// another place with other modes and times of its files.
func TestSameCommitSameBytes(t *testing.T) {
	dir := packed(t)
	root, again := t.TempDir(), t.TempDir()
	copySources(t, root)
	if err := buildAll(root, again, first, archs()...); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(again + "/*.deb")
	if err != nil || len(names) != len(packages)*len(archs()) {
		t.Fatalf("%d packages, %v", len(names), err)
	}
	for _, name := range names {
		if digest(t, name) != digest(t, filepath.Join(dir, filepath.Base(name))) {
			t.Errorf("%s is different when it is built elsewhere", filepath.Base(name))
		}
	}
}

func digest(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(b))
}

// copySources copies what git knows of the repository, and what is new in it.
func copySources(t *testing.T, to string) {
	t.Helper()
	out, err := exec.Command("git", "-C", repository, "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Skipf("the sources are no git checkout (%v): nothing to build a second time from", err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join(repository, name))
		if os.IsNotExist(err) {
			continue // deleted, and not yet committed
		}
		if err == nil {
			err = os.MkdirAll(filepath.Join(to, filepath.Dir(name)), 0o700)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), text, fs.FileMode(0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestLintian(t *testing.T) {
	need(t, "lintian")
	names, err := filepath.Glob(packed(t) + "/*.deb")
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"--tag-display-limit", "0", "--fail-on", "error,warning"}, names...)
	if os.Getuid() == 0 {
		args = append([]string{"--allow-root"}, args...)
	}
	if out, err := exec.Command("lintian", args...).CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("lintian: %v\n%s", err, out)
	}
}

// mostExposed is the highest exposure that systemd-analyze may find, in tenths.
const mostExposed = 13

func TestUnits(t *testing.T) {
	need(t, "systemd-analyze")
	for _, p := range packages {
		if p.unit == "" {
			continue
		}
		t.Run(p.unit, func(t *testing.T) {
			unit := filepath.Join(p.folder, p.unit+".service")
			out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold="+strconv.Itoa(mostExposed), unit).Output()
			if err != nil {
				t.Errorf("more exposed than %.1f: %v\n%s", mostExposed/10., err, out)
			}
			found := regexp.MustCompile(`exposure level for .*: ([0-9.]+)`).FindSubmatch(out)
			if found == nil {
				t.Fatalf("no exposure in\n%s", out)
			}
			t.Logf("exposure %s", found[1])
			verify(t, p, unit)
		})
	}
}

// verify lets systemd read the unit.
func verify(t *testing.T, p pkg, unit string) {
	t.Helper()
	dir := t.TempDir()
	copied := filepath.Join(dir, filepath.Base(unit))
	readable(t, unit, copied)
	verifyAll(t, copied)
}

// TestImageUnits: systemd understands the units that the card's image adds, and the daemon's with what the image changes in it.
func TestImageUnits(t *testing.T) {
	need(t, "systemd-analyze")
	const image = "../image/root/etc/systemd/system"
	dir := t.TempDir()
	var units []string
	readable(t, "terminal/tillprintd.service", filepath.Join(dir, "tillprintd.service"))
	must(t, filepath.WalkDir(image, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		inside, err := filepath.Rel(image, path)
		must(t, err)
		readable(t, path, filepath.Join(dir, inside))
		if filepath.Dir(inside) == "." {
			units = append(units, filepath.Join(dir, strings.Replace(inside, "@.", "@sda1.", 1)))
		}
		return nil
	}))
	if len(units) < 5 {
		t.Fatalf("only %d units in %s", len(units), image)
	}
	verifyAll(t, append(units, filepath.Join(dir, "tillprintd.service"))...)
}

// readable copies a unit, with programs in it that are on this machine.
func readable(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	must(t, err)
	here := regexp.MustCompile(`(?m)^(Exec\w+=[-+]?)/\S+`).ReplaceAllString(string(text), "${1}/bin/true")
	here = regexp.MustCompile(`(?m)^Documentation=.*\n`).ReplaceAllString(here, "")
	must(t, os.MkdirAll(filepath.Dir(to), 0o755))
	must(t, os.WriteFile(to, []byte(here), 0o644))
}

// verifyAll lets systemd read units. What a systemd older than a key says about it is expected; nothing else may be said.
func verifyAll(t *testing.T, units ...string) {
	t.Helper()
	c := exec.Command("systemd-analyze", append([]string{"verify", "--man=no"}, units...)...)
	c.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+filepath.Dir(units[0])+":")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Errorf("systemd-analyze verify: %v", err)
	}
	since254 := regexp.MustCompile(`Unknown key '?(name '?)?Restart(Steps|MaxDelaySec)'`)
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "tillprint") && !since254.MatchString(line) {
			t.Errorf("systemd-analyze verify: %s", line)
		}
	}
}

// TestARMv6: the program of the armhf package runs on the processor of a Pi Zero.
func TestARMv6(t *testing.T) {
	const emulator = "qemu-arm-static"
	need(t, emulator)
	b := builder{release: first, root: repository, work: t.TempDir()}
	program, err := b.compile("tillprintd", "armhf")
	must(t, err)
	out, err := exec.Command(emulator, "-cpu", "arm1176", program, "--version").CombinedOutput()
	if err != nil || !strings.Contains(string(out), first.version) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestVersionOf(t *testing.T) {
	need(t, "dpkg")
	dir := t.TempDir()
	at := time.Unix(1790000000, 0).UTC()
	commit := func(args ...string) string {
		t.Helper()
		for _, a := range [][]string{{"init", "-q"}, {"-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "--allow-empty", "-m", "x"}, args} {
			if a == nil {
				continue
			}
			if out, err := exec.Command("git", append([]string{"-C", dir}, a...)...).CombinedOutput(); err != nil {
				t.Fatalf("%s: %s", a, out)
			}
		}
		v, err := versionOf(dir, at)
		if err != nil || !debianVersion.MatchString(v) {
			t.Fatalf("%q, %v", v, err)
		}
		at = at.Add(time.Second)
		return v
	}
	// Each is a higher version than the one before it.
	versions := []string{commit(), commit(), commit("tag", "v0.1.0"), commit(), commit("tag", "v0.2.0")}
	for i := 1; i < len(versions); i++ {
		if err := exec.Command("dpkg", "--compare-versions", versions[i-1], "lt", versions[i]).Run(); err != nil {
			t.Errorf("%s is not below %s", versions[i-1], versions[i])
		}
	}
	if versions[2] != "0.1.0" {
		t.Errorf("at a tag: %s", versions[2])
	}
}

// need skips a test on a machine without a tool.
func need(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not on this machine; install it to run this test", tool)
		}
	}
}
