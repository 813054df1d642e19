package disposal_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/disposal"
)

func signed(t *testing.T) (text, key string) {
	t.Helper()
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	c := disposal.Certificate{Identity: store.Identity{Site: "oakfield", Terminal: "till-1"}, At: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Applied: 9,
		Epoch: 3, Held: store.Inventory{Pupils: 400, Templates: 800, Subjects: 200}, Keys: "destroyed", Files: 3, Sensor: "empty\nForged: line", Promise: "a promise"}
	text, err := c.Sign(private)
	if err != nil {
		t.Fatal(err)
	}
	key, err = note.NewEd25519VerifierKey("tillprint/oakfield/till-1", private.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return text, key
}

// TestEveryByteOfACertificateCounts changes each byte in turn.
func TestEveryByteOfACertificateCounts(t *testing.T) {
	text, key := signed(t)
	lines, err := disposal.Verify(text, key)
	if err != nil || lines["Held before"] != "400 pupils, 0 adults, 0 photos, 0 PIN verifiers, 800 templates of 200 people, 0 log records" ||
		lines["Sensor"] != "empty Forged: line" || lines["Forged"] != "" {
		t.Fatalf("%v, %q", err, lines)
	}
	for i := range text {
		bad := []byte(text)
		bad[i] ^= 1
		if _, err := disposal.Verify(string(bad), key); err == nil {
			t.Errorf("byte %d of %q was changed and nobody noticed", i, text[max(0, i-20):i+1])
		}
	}
	if _, err := disposal.Verify("hello", key); !errors.Is(err, disposal.ErrNotCertificate) {
		t.Errorf("no certificate: %v", err)
	}
	if _, err := disposal.Verify(text, "hello"); !errors.Is(err, audit.ErrKey) {
		t.Errorf("no key: %v", err)
	}
	other, err := note.NewEd25519VerifierKey("tillprint/oakfield/till-1", ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := disposal.Verify(text, other); !errors.Is(err, disposal.ErrSignature) {
		t.Errorf("another terminal's key: %v", err)
	}
}

// TestOverwriteReachesTheSameBlocks looks through other names at the very files that are overwritten.
func TestOverwriteReachesTheSameBlocks(t *testing.T) {
	dir, seen := t.TempDir(), t.TempDir()
	before := bytes.Repeat([]byte("minutiae"), 5000)
	names := []string{"keytable", "records.db", "records.db.aside-20261123T120000Z", "keyslot", "keyslot.tpm", "place.json", "notes.txt"}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), before, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(filepath.Join(dir, name), filepath.Join(seen, name)); err != nil {
			t.Fatal(err)
		}
	}
	n, err := disposal.Overwrite(dir, rand.NewChaCha8([32]byte{}))
	if err != nil || n != 6 {
		t.Fatalf("%d files, %v", n, err)
	}
	for _, name := range names {
		after, err := os.ReadFile(filepath.Join(seen, name))
		if err != nil || len(after) != len(before) || bytes.Contains(after, []byte("minutiae")) != strings.HasPrefix(name, "notes") {
			t.Errorf("%s: %d bytes, %v", name, len(after), err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 || left[0].Name() != "notes.txt" {
		t.Errorf("left: %v, %v", left, err)
	}
	if n, err := disposal.Overwrite(dir, rand.NewChaCha8([32]byte{})); err != nil || n != 0 {
		t.Errorf("again: %d, %v", n, err)
	}
}

func FuzzVerify(f *testing.F) {
	key := "tillprint/oakfield/till-1+12345678+AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
	f.Add(disposal.Title + "\n\nSite: x\n\n\u2014 x abcd\n")
	f.Fuzz(func(t *testing.T, text string) {
		if lines, err := disposal.Verify(text, key); err == nil {
			t.Errorf("%q verifies: %v", text, lines)
		}
	})
}
