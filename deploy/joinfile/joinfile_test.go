package joinfile_test

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillprint/tillprint/deploy/joinfile"
	"github.com/tillprint/tillprint/sync/register"
)

func code(t testing.TB) string {
	t.Helper()
	token, err := register.NewToken(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return register.JoinCode{Site: "oakfield", Hubs: []string{"https://hub.oakfield.lan:8443"}, Token: token}.String()
}

func TestReadAndConsume(t *testing.T) {
	path := filepath.Join(t.TempDir(), joinfile.Name)
	if _, err := joinfile.Read(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("without a file: %v", err)
	}
	want := joinfile.File{Code: code(t)}
	text, err := want.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := joinfile.Read(path); err != nil || got != want {
		t.Fatalf("got %+v, %v", got, err)
	}
	for range 2 { // the second time, as after a power cut in between, there is nothing left to do
		if err := joinfile.Consume(path); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal("the file is still there")
	}
}

func TestParseRefuses(t *testing.T) {
	good := code(t)
	for _, c := range []struct{ name, text, want string }{
		{"no code", "", "no join code"},
		{"a slip in the code", "code = '" + good[:len(good)-1] + "'", "changed in copying"},
		{"an unknown key", "code = '" + good + "'\nkey = 'x'", "cannot be read"},
		{"no TOML", "till-1", "cannot be read"},
		{"too long", strings.Repeat("#", joinfile.MaxSize+1), "more than"},
	} {
		if _, err := joinfile.Parse([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	text, err := joinfile.File{Code: code(f)}.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("[[name]]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if file, err := joinfile.Parse(text); err == nil {
			if _, err := file.Marshal(); err != nil {
				t.Fatalf("what was read cannot be written: %v", err)
			}
		}
	})
}
