// Package release is the signed statement that goes with everything that is written onto a terminal's card: which
// version it is, which files it consists of, how long each is and what it hashes to.
//
// A statement is a signed note as golang.org/x/mod/sumdb/note writes them: JSON, an empty line, and the signature of
// the release key, an Ed25519 key that is kept offline. Flashing an image and installing an update read the same
// statement, so that nothing is written that was cut short, altered, or never released.
package release

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// Kind tells what the files are for.
type Kind string

const (
	Image  Kind = "image"  // one file: a whole card
	Bundle Kind = "bundle" // BootFile and RootFile, which replace one slot
)

// Names of the files of a bundle.
const (
	BootFile = "boot.img.zst" // the FAT file system with firmware, kernel and command line
	RootFile = "root.img.zst" // the squashfs of the root
)

// Bounds of a statement.
const (
	MaxStatement = 64 << 10 // bytes
	MaxFile      = 16 << 30 // bytes of one file, packed or unpacked
	maxFiles     = 8
)

// Release is one released version, of which the statement speaks.
type Release struct {
	Format   string `json:"format"` // always "tillprint release v1"
	Kind     Kind   `json:"kind"`
	Version  string `json:"version"`  // for people, 1 to 64 printable characters without spaces
	Sequence uint64 `json:"sequence"` // orders versions: a terminal takes no lower one
	// Downgrade lets terminals go back to this version. It is signed like everything else here.
	Downgrade bool   `json:"downgrade,omitempty"`
	Files     []File `json:"files"`
}

const format = "tillprint release v1"

// File is one file as it is kept, and what it unpacks to. Where it is not
// packed the two are the same.
type File struct {
	Name     string `json:"name"` // without a folder; ending in .zst if packed
	Packed   Sum    `json:"packed"`
	Unpacked Sum    `json:"unpacked"`
}

// Sum is a length in bytes and a SHA-256 in hexadecimal.
type Sum struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Errors of Open.
var (
	ErrUnsigned = errors.New("it is not signed with the release key")
	ErrFormat   = errors.New("it is no release statement of a kind that this version reads")
)

// Sign writes the statement, signed with the release key.
func (r Release) Sign(key note.Signer) ([]byte, error) {
	r.Format = format
	if err := r.check(); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing a release statement: %w", err)
	}
	return note.Sign(&note.Note{Text: string(text) + "\n"}, key)
}

// Open reads a statement and checks its signature.
func Open(statement []byte, key note.Verifier) (*Release, error) {
	if len(statement) > MaxStatement {
		return nil, fmt.Errorf("the release statement: %w", ErrFormat)
	}
	n, err := note.Open(statement, note.VerifierList(key))
	if err != nil {
		return nil, fmt.Errorf("the release statement: %w (%w)", ErrUnsigned, err)
	}
	return parse(n.Text)
}

// OpenUnchecked reads a statement whose maker cannot be told, for want of the
// release key. Lengths and sums are as good as the way the statement came.
func OpenUnchecked(statement []byte) (*Release, error) {
	text, _, signed := bytes.Cut(statement, []byte("\n\n"))
	if len(statement) > MaxStatement || !signed {
		return nil, fmt.Errorf("the release statement: %w", ErrFormat)
	}
	return parse(string(text) + "\n")
}

func parse(text string) (*Release, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	r := new(Release)
	if err := d.Decode(r); err != nil {
		return nil, fmt.Errorf("the release statement: %w: %w", ErrFormat, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("the release statement: %w: something follows it", ErrFormat)
	}
	return r, r.check()
}

func (r *Release) check() error {
	if r.Format != format || r.Kind != Image && r.Kind != Bundle || !printable(r.Version) || len(r.Files) == 0 || len(r.Files) > maxFiles {
		return fmt.Errorf("the release statement: %w", ErrFormat)
	}
	for _, f := range r.Files {
		if !printable(f.Name) || filepath.Base(f.Name) != f.Name || f.Name[0] == '.' || !f.Packed.valid() || !f.Unpacked.valid() {
			return fmt.Errorf("the release statement: %w: the file %.40q", ErrFormat, f.Name)
		}
	}
	return nil
}

// File is the file of that name.
func (r *Release) File(name string) (File, error) {
	for _, f := range r.Files {
		if f.Name == name {
			return f, nil
		}
	}
	return File{}, fmt.Errorf("the release statement of %s does not speak of the file %.80q", r.Version, name)
}

func (s Sum) valid() bool {
	b, err := hex.DecodeString(s.SHA256)
	return err == nil && len(b) == 32 && s.Size > 0 && s.Size <= MaxFile
}

func printable(s string) bool {
	return s != "" && len(s) <= 64 && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '/' }) < 0
}
