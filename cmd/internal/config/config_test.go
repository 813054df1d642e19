package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillprint/tillprint/cmd/internal/config"
)

type settings struct {
	Name  string `toml:"name"`
	Store struct {
		Dir string `toml:"dir"`
	} `toml:"store"`
}

func (settings) Check() error { return nil }

func TestParse(t *testing.T) {
	for _, c := range []struct{ name, text, wants string }{
		{"known keys", "name = 'a'\n[store]\ndir = '/d'\n", ""},
		{"unknown key names its line", "name = 'a'\n\nnmae = 'b'\n", `line 3: there is no setting "nmae"`},
		{"unknown key in a table", "[store]\npath = '/d'\n", `line 2: there is no setting "store.path"`},
		{"wrong type", "name = 7\n", "line 1"},
		{"not TOML", "name = \n", "line 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s settings
			err := config.Parse([]byte(c.text), &s)
			switch {
			case c.wants == "" && err != nil:
				t.Fatal(err)
			case c.wants != "" && (err == nil || !strings.Contains(err.Error(), c.wants)):
				t.Fatalf("got %v, want an error with %q", err, c.wants)
			}
		})
	}
}

func TestLoadRefusesAHugeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "big.toml")
	if err := os.WriteFile(path, make([]byte, config.MaxSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := config.Load(path, new(settings)); err == nil || !strings.Contains(err.Error(), "larger") {
		t.Fatalf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("name = 'a'\n[store]\ndir = '/d'\n"))
	f.Add([]byte("[[store]]\nname = 1"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var s settings
		_ = config.Parse(text, &s)
	})
}
