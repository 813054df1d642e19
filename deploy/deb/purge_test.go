package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A purge that cannot destroy the keys fails and says so, and everything stays; without keys it goes through.
func TestPurgeWithoutTheProgram(t *testing.T) {
	// Not the helpers of systemd, which would work on this machine.
	tools := t.TempDir()
	for _, tool := range []string{"rm", "rmdir"} {
		path, err := exec.LookPath(tool)
		must(t, err)
		must(t, os.Symlink(path, filepath.Join(tools, tool)))
	}
	for _, c := range []struct {
		name, file, program string
		fails               string
	}{
		{"no copy of the program", "keytable", "", "the keys are not destroyed"},
		{"no copy, and a request to join", "keyslot", "", "the keys are not destroyed"},
		{"a program that fails", "keytable", "#!/bin/sh\nexit 1\n", "could not be destroyed"},
		{"a program that destroys", "keytable", "#!/bin/sh\n[ \"$1 $2\" = 'keyslot destroy' ]\n", ""},
		{"never joined", "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "tillprint")
			must(t, os.MkdirAll(dir+"/purge", 0o700))
			if c.file != "" {
				must(t, os.WriteFile(filepath.Join(dir, c.file), nil, 0o600))
			}
			if c.program != "" {
				must(t, os.WriteFile(dir+"/purge/tillprintd", []byte(c.program), 0o700))
			}
			script, err := os.ReadFile("terminal/postrm")
			must(t, err)
			here := strings.ReplaceAll(string(script), "/var/lib/tillprint", dir)
			here = strings.ReplaceAll(here, "/etc/tillprint", dir+"-etc")
			purge := exec.Command("/bin/sh", "-c", here, "postrm", "purge")
			purge.Env = []string{"PATH=" + tools}
			said, err := purge.CombinedOutput()
			if (err != nil) != (c.fails != "") || !strings.Contains(string(said), c.fails) {
				t.Errorf("it ends with %v and says %s", err, said)
			}
			if _, err := os.Stat(dir); (err == nil) != (c.fails != "") {
				t.Errorf("the store is there: %t", err == nil)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
