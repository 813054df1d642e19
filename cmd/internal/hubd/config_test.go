package hubd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLoad(t *testing.T) {
	for _, c := range []struct{ name, text, wants string }{
		{"an empty file is the example", "", ""},
		{"unknown key", "liste = 'x'", `no setting "liste"`},
		{"half a cost", "[pin]\npasses = 3", "go together"},
		{"no directory", "dir = ''", "dir is empty"},
		{"certificate without key", "[office]\ncertificate = 'a.pem'", "go together"},
		{"negative lease", "lease = '-1h'", "no length of time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "hub.toml")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Load(path)
			switch {
			case c.wants == "" && err != nil:
				t.Fatal(err)
			case c.wants != "" && (err == nil || !strings.Contains(err.Error(), c.wants)):
				t.Fatalf("got %v, want an error with %q", err, c.wants)
			}
		})
	}
}
