package register

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is the hub's signed word on a register: "these entries, in this order, and no others, as of this time". The
// text is a C2SP tlog-checkpoint whose extension lines are time, lease and head:
//
//	tillprint/oakfield
//	1234
//	CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//	time 2026-11-22T03:50:00Z
//	lease 2026-11-25T03:50:00Z
//	head 1250
type Checkpoint struct {
	Site  string
	Size  uint64 // entries
	Root  tlog.Hash
	Time  time.Time // the hub's clock, UTC, in whole seconds
	Lease time.Time // until when a terminal may match fingers without further word (I7)
	Head  uint64    // entries that the hub has altogether; above Size if there is more to fetch
}

// maxCheckpoint bounds a signed checkpoint in bytes.
const maxCheckpoint = 4096

func origin(site string) string { return "tillprint/" + site }

// Sign returns the signed note. The signer comes from NewSigner for the same site.
func (c *Checkpoint) Sign(signer note.Signer) ([]byte, error) {
	if !ValidName(c.Site) || signer.Name() != origin(c.Site) {
		return nil, fmt.Errorf("%w: signing a checkpoint of site %q with the key of %q", ErrSite, c.Site, signer.Name())
	}
	return note.Sign(&note.Note{Text: c.text()}, signer)
}

func (c *Checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\ntime %s\nlease %s\nhead %d\n", origin(c.Site), c.Size, c.Root,
		c.Time.UTC().Format(time.RFC3339), c.Lease.UTC().Format(time.RFC3339), c.Head)
}

// OpenCheckpoint reads a signed checkpoint and checks its signature and its site.
func OpenCheckpoint(signed []byte, site string, hub note.Verifier) (*Checkpoint, error) {
	if len(signed) > maxCheckpoint {
		return nil, fmt.Errorf("%w: a checkpoint of %d bytes", ErrMalformed, len(signed))
	}
	n, err := note.Open(signed, note.VerifierList(hub))
	if err != nil {
		return nil, fmt.Errorf("%w: opening a checkpoint: %v", ErrUnsigned, err)
	}
	c, err := parseCheckpoint(n.Text)
	if err != nil {
		return nil, err
	}
	if c.Site != site {
		return nil, fmt.Errorf("%w: a checkpoint of %q where %q was expected", ErrSite, c.Site, site)
	}
	return c, nil
}

// parseCheckpoint accepts only text that Sign could have signed.
func parseCheckpoint(text string) (*Checkpoint, error) {
	bad := func(what string) error { return fmt.Errorf("%w: a checkpoint's %s", ErrMalformed, what) }
	lines := strings.Split(text, "\n")
	if len(lines) != 7 {
		return nil, bad("number of lines")
	}
	var c Checkpoint
	var err error
	var ok bool
	if c.Site, ok = strings.CutPrefix(lines[0], "tillprint/"); !ok || !ValidName(c.Site) {
		return nil, bad("origin")
	}
	if c.Size, err = strconv.ParseUint(lines[1], 10, 64); err != nil || c.Size > maxSize {
		return nil, bad("size")
	}
	if c.Root, err = tlog.ParseHash(lines[2]); err != nil {
		return nil, bad("root")
	}
	if c.Time, err = time.Parse("time "+time.RFC3339, lines[3]); err != nil {
		return nil, bad("time")
	}
	if c.Lease, err = time.Parse("lease "+time.RFC3339, lines[4]); err != nil {
		return nil, bad("lease")
	}
	head, ok := strings.CutPrefix(lines[5], "head ")
	if c.Head, err = strconv.ParseUint(head, 10, 64); !ok || err != nil || c.Head > maxSize || c.Head < c.Size {
		return nil, bad("head")
	}
	if c.text() != text {
		return nil, bad("spelling")
	}
	return &c, nil
}

// NewSigner makes the signer of a site's checkpoints from the hub's key.
func NewSigner(site string, key ed25519.PrivateKey) (note.Signer, error) {
	if !ValidName(site) || len(key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("%w: a site name or a signing key", ErrMalformed)
	}
	name, public := origin(site), append([]byte{1}, key.Public().(ed25519.PublicKey)...)
	sum := sha256.Sum256(append([]byte(name+"\n"), public...))
	secret := base64.StdEncoding.EncodeToString(append([]byte{1}, key.Seed()...))
	return note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, binary.BigEndian.Uint32(sum[:]), secret))
}

// NewVerifier makes the verifier of a site's checkpoints from the hub's public key.
func NewVerifier(site string, key ed25519.PublicKey) (note.Verifier, error) {
	if !ValidName(site) || len(key) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("%w: a site name or a public key", ErrMalformed)
	}
	text, err := VerifierKey(site, key)
	if err != nil {
		return nil, err
	}
	return note.NewVerifier(text)
}

// VerifierKey is the hub's key for a site in the note format: name, hash and key.
func VerifierKey(site string, key ed25519.PublicKey) (string, error) {
	text, err := note.NewEd25519VerifierKey(origin(site), key)
	if err != nil {
		return "", fmt.Errorf("making the verifier of %q: %w", site, err)
	}
	return text, nil
}
