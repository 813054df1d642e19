package release

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/mod/sumdb/note"
)

func keys(t testing.TB) (note.Signer, note.Verifier) {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, "tillprint-release")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

// packed makes a release of one file that holds content, and returns its path.
func packed(t testing.TB, content []byte) (Release, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "card.img.zst")
	f, err := Pack(path, "card.img.zst", bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return Release{Kind: Image, Version: "v1.2.3", Sequence: 7, Files: []File{f}}, path
}

func TestSignedStatement(t *testing.T) {
	signer, verifier := keys(t)
	_, stranger := keys(t)
	r, _ := packed(t, []byte("a card"))
	statement, err := r.Sign(signer)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Open(statement, verifier)
	if err != nil || got.Version != r.Version || got.Sequence != r.Sequence || got.Files[0] != r.Files[0] {
		t.Fatalf("got %+v, %v", got, err)
	}
	if _, err := Open(statement, stranger); !errors.Is(err, ErrUnsigned) {
		t.Errorf("with another key: %v", err)
	}
	if _, err := Open(bytes.Replace(statement, []byte(`"sequence": 7`), []byte(`"sequence": 9`), 1), verifier); !errors.Is(err, ErrUnsigned) {
		t.Errorf("altered: %v", err)
	}
	if got, err := OpenUnchecked(statement); err != nil || got.Version != r.Version {
		t.Errorf("without a key: %+v, %v", got, err)
	}
}

func TestVerify(t *testing.T) {
	content := bytes.Repeat([]byte("all work and no play "), 10000)
	for _, c := range []struct {
		name  string
		spoil func([]byte) []byte
		want  error
	}{
		{"as released", func(b []byte) []byte { return b }, nil},
		{"cut short", func(b []byte) []byte { return b[:len(b)-1] }, ErrCutShort},
		{"empty", func([]byte) []byte { return nil }, ErrCutShort},
		{"longer", func(b []byte) []byte { return append(b, 0) }, ErrTooLong},
		{"one bit differs", func(b []byte) []byte { b[len(b)/2] ^= 1; return b }, ErrAltered},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, path := packed(t, content)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, c.spoil(b), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := r.Files[0].Verify(path, nil); !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
		})
	}
}

// What unpacks to something else than was released never ends in io.EOF.
func TestUnpack(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789"), 5000)
	r, path := packed(t, content)
	for _, c := range []struct {
		name string
		edit func(*File)
		want error
	}{
		{"as released", func(*File) {}, nil},
		{"shorter than it says", func(f *File) { f.Unpacked.Size++ }, ErrCutShort},
		{"longer than it says", func(f *File) {
			short, _ := Measure(bytes.NewReader(content[:len(content)-1]))
			f.Unpacked = short
		}, ErrTooLong},
		{"other content", func(f *File) { f.Unpacked.SHA256 = f.Packed.SHA256 }, ErrAltered},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := r.Files[0]
			c.edit(&f)
			in, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			out, err := f.Unpack(in)
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			got, err := io.ReadAll(out)
			if !errors.Is(err, c.want) || c.want == nil && !bytes.Equal(got, content) {
				t.Fatalf("%d bytes, %v; want %v", len(got), err, c.want)
			}
		})
	}
}

func FuzzOpenUnchecked(f *testing.F) {
	signer, _ := keys(f)
	r, _ := packed(f, []byte("a card"))
	statement, err := r.Sign(signer)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(statement)
	f.Add([]byte("{}\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := OpenUnchecked(b)
		if err != nil {
			return
		}
		if _, err := r.Sign(signer); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
	})
}
