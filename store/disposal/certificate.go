// Package disposal ends a terminal's store for good (rows L1, L2) and certifies it.
//
// On flash, overwriting reaches what the file system shows and not what the card's controller has put aside. So the keys die
// first, in their slot, and with them everything that they opened, wherever copies lie; overwriting the files afterwards is thoroughness.
// What a slot's destruction is worth stands in the [Certificate], in the slot's own words, beside the lines on which somebody signs by hand that
// card and sensor have been destroyed.
//
// A certificate is a text that people can read. It is signed with the terminal's key, which dies in the same minute, and verifies offline
// with the verifier key that the hub keeps.
package disposal

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
)

// Title is the first line of every certificate.
const Title = "Tillprint decommissioning certificate 1"

// Certificate is what was ended, and how it was looked at afterwards.
type Certificate struct {
	Identity store.Identity
	At       time.Time
	Applied  uint64 // register sequence
	Epoch    uint64 // of the last root key
	Held     store.Inventory
	Keys     string // what was done to the keys, and what was seen afterwards
	Files    int    // overwritten and removed
	Sensor   string // what its own memory holds
	Promise  string // of the key slot
}

// text is what people read and what is signed.
func (c *Certificate) text() string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		value := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ") // one line, whatever a slot or a sensor has said
		fmt.Fprintf(&b, "%s: %s\n", name, value)
	}
	h := c.Held
	fmt.Fprintf(&b, "%s\n\n", Title)
	line("Site", "%s", c.Identity.Site)
	line("Terminal", "%s", c.Identity.Terminal)
	line("Time", "%s", c.At.UTC().Format(time.RFC3339))
	line("Register sequence", "%d", c.Applied)
	line("Key epoch", "%d", c.Epoch)
	line("Held before", "%d pupils, %d adults, %d photos, %d PIN verifiers, %d templates of %d people, %d log records",
		h.Pupils, h.Adults, h.Photos, h.PINs, h.Templates, h.Subjects, h.Log)
	line("Keys", "%s", c.Keys)
	line("Data", "%d files overwritten and removed", c.Files)
	line("Sensor", "%s", c.Sensor)
	line("Key slot", "%s", c.Promise)
	b.WriteString("\nTo be filled in by hand:\n" +
		"Memory card destroyed on ______________ by ______________\n" +
		"Sensor module destroyed on ______________ by ______________\n")
	return b.String()
}

// signer is the terminal's key as the note format wants it.
type signer struct {
	note.Verifier
	key ed25519.PrivateKey
}

func (s signer) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.key, msg), nil }

// Sign writes the certificate with the terminal's signature.
func (c *Certificate) Sign(key ed25519.PrivateKey) (string, error) {
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return "", errors.New("signing the certificate: this is no Ed25519 key")
	}
	vkey, err := note.NewEd25519VerifierKey(audit.Origin(c.Identity.Site, c.Identity.Terminal), public)
	if err != nil {
		return "", fmt.Errorf("signing the certificate: %w", err)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return "", fmt.Errorf("signing the certificate: %w", err)
	}
	signed, err := note.Sign(&note.Note{Text: c.text()}, signer{verifier, key})
	if err != nil {
		return "", fmt.Errorf("signing the certificate: %w", err)
	}
	return string(signed), nil
}

// What can be wrong with a certificate.
var (
	ErrNotCertificate = errors.New("this is no decommissioning certificate")
	ErrSignature      = errors.New("the certificate was changed, or another terminal has signed it")
)

const maxCertificate = 16 << 10 // bytes; a real one has about one thousand

// Is reports whether a text claims to be a certificate.
func Is(text string) bool { return strings.HasPrefix(text, Title+"\n") }

// Verify checks a certificate offline with the terminal's verifier key and returns its lines by name.
func Verify(text, key string) (map[string]string, error) {
	verifier, err := note.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		return nil, audit.ErrKey
	}
	if !Is(text) || len(text) > maxCertificate {
		return nil, ErrNotCertificate
	}
	n, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil || len(n.Sigs) != 1 || len(n.UnverifiedSigs) != 0 {
		return nil, ErrSignature
	}
	lines := map[string]string{}
	for l := range strings.Lines(n.Text) {
		if name, value, ok := strings.Cut(strings.TrimSuffix(l, "\n"), ": "); ok {
			lines[name] = value
		}
	}
	if audit.Origin(lines["Site"], lines["Terminal"]) != verifier.Name() {
		return nil, ErrSignature
	}
	return lines, nil
}
