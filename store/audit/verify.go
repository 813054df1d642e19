package audit

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// What can be wrong with a receipt, each told apart from the others.
var (
	ErrKey        = errors.New("the verifier key is not one: it looks like name+hash+base64")
	ErrFormat     = errors.New("this is no wipe receipt, or its layout was changed")
	ErrHeader     = errors.New("the readable lines do not say what the audit record says: they were changed")
	ErrRecord     = errors.New("the audit record does not fit to its hash: it was changed")
	ErrProof      = errors.New("the log does not hold this record: its number, its hash or the proof was changed")
	ErrCheckpoint = errors.New("the signed head of the log was changed: its signature does not fit")
	ErrSigner     = errors.New("the receipt was signed by another terminal than the key's")
)

const maxReceipt = 16 << 10 // bytes; a log of 2^40 records gives less than 6 KiB

// VerifyReceipt checks a receipt offline. key is the terminal's note verifier key. On any fault the receipt that is
// returned is empty, and the error wraps one of the errors above.
func VerifyReceipt(text, key string) (Receipt, error) {
	verifier, err := note.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		return Receipt{}, fmt.Errorf("receipt: %w", ErrKey)
	}
	p, err := split(text)
	if err != nil {
		return Receipt{}, err
	}
	size, root, err := openCheckpoint(p.checkpoint, verifier)
	if err != nil {
		return Receipt{}, err
	}
	return p.verify(text, size, root)
}

// parts are the sections of a receipt as they were found, each still to be distrusted.
type parts struct{ header, record, proof, checkpoint string }

func split(text string) (p parts, err error) {
	if len(text) > maxReceipt {
		return p, fmt.Errorf("receipt: %w: %d bytes are too many", ErrFormat, len(text))
	}
	rest, ok := strings.CutPrefix(text, receiptTitle)
	if !ok {
		return p, fmt.Errorf("receipt: %w: the first line is not %q", ErrFormat, strings.TrimSpace(receiptTitle))
	}
	for _, cut := range []struct {
		into  *string
		title string
	}{{&p.header, recordTitle}, {&p.record, leafTitle}, {&p.proof, checkpointTitle}} {
		if *cut.into, rest, ok = strings.Cut(rest, cut.title); !ok {
			return p, fmt.Errorf("receipt: %w: the line %q is missing", ErrFormat, strings.TrimSpace(cut.title))
		}
	}
	p.checkpoint = rest
	return p, nil
}

// verify holds the sections against each other and against a head of the log that is already trusted.
func (p parts) verify(text string, size int64, root tlog.Hash) (Receipt, error) {
	hashes, err := parseHashes(p.proof)
	if err != nil {
		return Receipt{}, err
	}
	if tlog.RecordHash([]byte(p.record)) != hashes[0] {
		return Receipt{}, fmt.Errorf("receipt: %w", ErrRecord)
	}
	event, err := ParseEvent(p.record)
	if err != nil || event.Kind != Wipe {
		return Receipt{}, fmt.Errorf("receipt: %w: the record is no wipe", ErrFormat)
	}
	r, err := parseHeader(p.header)
	if err != nil {
		return Receipt{}, err
	}
	r.Subject, r.Event, r.Text = event.Subject, event, text
	if r.header() != p.header || Origin(r.Site, r.Terminal) != originOf(p.checkpoint) {
		return Receipt{}, fmt.Errorf("receipt: %w", ErrHeader)
	}
	if r.Record < 0 || r.Record >= size {
		return Receipt{}, fmt.Errorf("receipt: %w", ErrHeader)
	}
	if tlog.CheckRecord(hashes[1:], size, root, r.Record, hashes[0]) != nil {
		return Receipt{}, fmt.Errorf("receipt: %w", ErrProof)
	}
	if r.render(p.record, hashes[0], hashes[1:], p.checkpoint) != text {
		return Receipt{}, fmt.Errorf("receipt: %w", ErrFormat)
	}
	return r, nil
}

// parseHeader takes from the readable lines only what the record does not hold.
func parseHeader(header string) (r Receipt, err error) {
	r.Record = -1
	for l := range strings.Lines(header) {
		name, value, _ := strings.Cut(strings.TrimSuffix(l, "\n"), ": ")
		switch name {
		case "Site":
			r.Site = value
		case "Terminal":
			r.Terminal = value
		case "Log record":
			if r.Record, err = strconv.ParseInt(value, 10, 64); err != nil {
				return Receipt{}, fmt.Errorf("receipt: %w", ErrHeader)
			}
		}
	}
	return r, nil
}

func parseHashes(lines string) (tlog.RecordProof, error) {
	var hashes tlog.RecordProof
	for l := range strings.Lines(lines) {
		b, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSuffix(l, "\n"))
		if err != nil || len(b) != tlog.HashSize {
			return nil, fmt.Errorf("receipt: %w: not a hash", ErrProof)
		}
		hashes = append(hashes, tlog.Hash(b))
	}
	if len(hashes) == 0 || len(hashes) > 64 {
		return nil, fmt.Errorf("receipt: %w: %d hashes", ErrProof, len(hashes))
	}
	return hashes, nil
}

// openCheckpoint returns the size and root that the terminal signed.
func openCheckpoint(text string, verifier note.Verifier) (int64, tlog.Hash, error) {
	var none tlog.Hash
	if originOf(text) != verifier.Name() && !signedBy(text, verifier.Name()) {
		return 0, none, fmt.Errorf("receipt: %w", ErrSigner)
	}
	n, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil || len(n.Sigs) != 1 || len(n.UnverifiedSigs) != 0 {
		return 0, none, fmt.Errorf("receipt: %w", ErrCheckpoint)
	}
	// The signature's text must be the one spelling of its bytes, or a byte could change unnoticed.
	if _, err := base64.StdEncoding.Strict().DecodeString(n.Sigs[0].Base64); err != nil {
		return 0, none, fmt.Errorf("receipt: %w", ErrCheckpoint)
	}
	h, err := parseHead(n.Text, verifier.Name())
	if err != nil {
		return 0, none, fmt.Errorf("receipt: %w", err)
	}
	return h.Size, h.Root, nil
}

// parseHead reads the signed text of a checkpoint.
func parseHead(text, origin string) (Head, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] != origin {
		return Head{}, ErrCheckpoint
	}
	size, err1 := strconv.ParseInt(lines[1], 10, 64)
	root, err2 := tlog.ParseHash(lines[2])
	if err1 != nil || err2 != nil || size < 1 || checkpointBody(origin, size, root) != text {
		return Head{}, ErrCheckpoint
	}
	return Head{Size: size, Root: root}, nil
}

// originOf is the first line of a checkpoint.
func originOf(checkpoint string) string {
	origin, _, _ := strings.Cut(checkpoint, "\n")
	return origin
}

// signedBy reports whether a signature line carries the name, so that damage is not taken for another signer.
func signedBy(checkpoint, name string) bool {
	return strings.Contains(checkpoint, "\n\u2014 "+name+" ")
}

// Origin is the name of a terminal's log and note key.
func Origin(site, terminal string) string { return "tillprint/" + site + "/" + terminal }
