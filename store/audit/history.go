package audit

import (
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// HistoryTitle is the first line of a history.
const HistoryTitle = "Tillprint log history 1\n"

// The other sections of a history.
const (
	earlierTitle = "\nEarlier head of the log:\n"
	growthTitle  = "\nProof that the later log holds all of the earlier:\n"
	laterTitle   = "\nLater head of the log:\n"
)

const maxHistory = 32 << 10 // bytes; a log of 2^40 records gives less than 12 KiB

// History is the text by which anybody can check, offline, that a terminal's log has only grown between two heads that
// the hub has countersigned.
func History(earlier string, proof tlog.TreeProof, later string) string {
	var b strings.Builder
	b.WriteString(HistoryTitle + earlierTitle + earlier + growthTitle)
	for _, h := range proof {
		fmt.Fprintf(&b, "%s\n", h)
	}
	b.WriteString(laterTitle + later)
	return b.String()
}

// VerifyHistory checks a history with the terminal's verifier key and the hub's, and returns both heads. The errors are
// those of VerifyReceipt, and ErrRewound.
func VerifyHistory(text, key, hub string) (earlier, later Head, err error) {
	bad := func(what string) (Head, Head, error) {
		return Head{}, Head{}, fmt.Errorf("history: %w: %s", ErrFormat, what)
	}
	rest, ok := strings.CutPrefix(text, HistoryTitle+earlierTitle)
	if len(text) > maxHistory || !ok {
		return bad("it does not begin as one")
	}
	before, rest, ok1 := strings.Cut(rest, growthTitle)
	lines, after, ok2 := strings.Cut(rest, laterTitle)
	if !ok1 || !ok2 {
		return bad("a section is missing")
	}
	proof, err := parseProof(lines)
	if err != nil {
		return Head{}, Head{}, err
	}
	if earlier, err = openBoth(before, key, hub); err != nil {
		return Head{}, Head{}, fmt.Errorf("the earlier head: %w", err)
	}
	if later, err = openBoth(after, key, hub); err != nil {
		return Head{}, Head{}, fmt.Errorf("the later head: %w", err)
	}
	if err := earlier.Continues(proof, later); err != nil {
		return Head{}, Head{}, fmt.Errorf("history: %w", err)
	}
	if History(before, proof, after) != text {
		return bad("it is not written as this program writes it")
	}
	return earlier, later, nil
}

func parseProof(lines string) (proof tlog.TreeProof, err error) {
	for l := range strings.Lines(lines) {
		b, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSuffix(l, "\n"))
		if err != nil || len(b) != tlog.HashSize || len(proof) == 64 {
			return nil, fmt.Errorf("history: %w: not a hash", ErrProof)
		}
		proof = append(proof, tlog.Hash(b))
	}
	return proof, nil
}

// openBoth opens a checkpoint that the terminal has signed first and the hub second, and nobody else.
func openBoth(text, key, hub string) (Head, error) {
	terminal, err1 := note.NewVerifier(strings.TrimSpace(key))
	witness, err2 := NewCosignVerifier(hub)
	if err1 != nil || err2 != nil {
		return Head{}, ErrKey
	}
	if originOf(text) != terminal.Name() && !signedBy(text, terminal.Name()) {
		return Head{}, ErrSigner
	}
	n, err := note.Open([]byte(text), note.VerifierList(terminal, witness))
	if err != nil || len(n.Sigs) != 2 || len(n.UnverifiedSigs) != 0 || n.Sigs[0].Name != terminal.Name() || n.Sigs[1].Name != witness.Name() {
		return Head{}, ErrCheckpoint
	}
	// The one spelling of its bytes, or a byte could change unnoticed.
	if _, err := base64.StdEncoding.Strict().DecodeString(n.Sigs[0].Base64); err != nil {
		return Head{}, ErrCheckpoint
	}
	head, err := parseHead(n.Text, terminal.Name())
	if err != nil {
		return Head{}, err
	}
	head.Seen, err = cosignedAt(n.Sigs[1])
	return head, err
}
