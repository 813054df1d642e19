package image_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// card is the first partition, what lasts, and what the daemon reads of this start.
type card struct{ start, data, state, bin string }

// newCard makes one; bin is a folder with tillprintd.
func newCard(t *testing.T, bin string) card {
	t.Helper()
	dir := t.TempDir()
	c := card{dir + "/start", dir + "/data", dir + "/state", bin}
	for _, d := range []string{c.start, c.data + "/etc", c.data + "/wifi", c.state} {
		must(t, os.MkdirAll(d, 0o755))
	}
	must(t, os.WriteFile(c.data+"/etc/tillprintd.toml", []byte("# kept\n"), 0o644))
	return c
}

// boot puts a file onto the first partition and takes it over, as a start does.
func (c card) boot(t *testing.T, name, text string) (notes string) {
	t.Helper()
	must(t, os.RemoveAll(c.state+"/notes"))
	must(t, os.WriteFile(filepath.Join(c.start, name), []byte(text), 0o644))
	script := exec.Command("sh", "root/usr/lib/tillprint/take-over", c.start, c.data, c.state)
	script.Env = append(os.Environ(), "PATH="+c.bin+":"+os.Getenv("PATH"))
	run(t, script)
	return read(c.state + "/notes")
}

// A file with a mistake is set aside and told, and what was before holds; one without is taken.
func TestTakeOver(t *testing.T) {
	bin := t.TempDir()
	run(t, exec.Command("go", "build", "-o", bin+"/", "../../cmd/tillprintd"))
	c := newCard(t, bin)
	const settings, hub = "tillprintd.toml", "tillprint-hub.txt"
	for _, tc := range []struct{ name, text, told, kept, want string }{
		{settings, "[sensor]\nprot = 1\n", `line 2: there is no setting "sensor.prot"`, "etc/tillprintd.toml", "# kept\n"},
		{settings, "[page]\nlisten = \"\"\n", "page.listen is empty", "etc/tillprintd.toml", "# kept\n"},
		{settings, "[log]\nlevel = \"warn\"\n", "", "etc/tillprintd.toml", "[log]\nlevel = \"warn\"\n"},
		{"tillprint-wifi.conf", "country=GB\n", "", "wifi/wifi.conf", "country=GB\n"},
		{hub, "hub.example.org\n", `"hub.example.org" is no address`, "etc/hub-addresses", ""},
		{hub, "203.0.113.7\nIPAddressAllow=any\n", "is no address", "etc/hub-addresses", ""},
		{hub, "# ours\n203.0.113.7\r\n 2001:db8::/32 # and its name server\n", "", "../state/hub.conf", "[Service]\nIPAddressAllow=203.0.113.7\nIPAddressAllow=2001:db8::/32\n"},
	} {
		notes := c.boot(t, tc.name, tc.text)
		if !strings.Contains(notes, tc.told) || (notes == "") != (tc.told == "") {
			t.Errorf("%q: told %q, want %q", tc.text, notes, tc.told)
		}
		if got := read(filepath.Join(c.data, tc.kept)); got != tc.want {
			t.Errorf("%q: kept %q, want %q", tc.text, got, tc.want)
		}
		if read(filepath.Join(c.start, tc.name)) != "" {
			t.Errorf("%q is still on the first partition", tc.text)
		}
		if aside := read(filepath.Join(c.start, tc.name+".refused")) != ""; aside != (tc.told != "") {
			t.Errorf("%q: set aside %t", tc.text, aside)
		}
		must(t, os.RemoveAll(filepath.Join(c.start, tc.name+".refused")))
	}

	// What is taken into memory, for want of a card that keeps it, stays where it was.
	c = newCard(t, bin)
	must(t, os.WriteFile(c.state+"/no-data", nil, 0o644))
	if notes := c.boot(t, "tillprintd.toml", "[log]\nlevel = \"warn\"\n"); notes != "" {
		t.Errorf("told %q", notes)
	}
	if read(c.start+"/tillprintd.toml") == "" || read(c.data+"/etc/tillprintd.toml") == "# kept\n" {
		t.Error("the configuration was taken away from the card, or not taken")
	}
}

// read is a file's text, "" for one that is not there.
func read(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
