package durable_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tillprint/tillprint/store/durable"
)

func TestReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "note")
	for _, want := range []string{"first", "second, longer", ""} {
		if err := durable.Replace(path, []byte(want)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%q, %v", got, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// A folder that cannot be made durable is told from a file that was not replaced.
func TestReplaceSaysWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "note")
	failing := func(string) error { return errors.New("input/output error") }
	if err := durable.ReplaceWith(path, []byte("new"), failing); !errors.Is(err, durable.ErrUnsettled) {
		t.Errorf("%v", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "new" {
		t.Errorf("%q", got)
	}
	if err := os.Mkdir(path+".new", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := durable.Replace(path, []byte("newer")); err == nil || errors.Is(err, durable.ErrUnsettled) {
		t.Errorf("%v", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "new" {
		t.Errorf("%q", got)
	}
}
