package audit

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Head is what a checkpoint says: the first Size records of a log have this root.
type Head struct {
	Size int64
	Root tlog.Hash
	Seen time.Time // when the hub countersigned it, by its clock; zero if it has not
}

// ErrRewound says that a log does not hold what it held before: an old copy of the card was put back, or the log was
// written anew.
var ErrRewound = errors.New("the later log does not hold all of the earlier one")

// Head signs the present head of the log and proves that it holds the first from records unchanged. Without such records, with
// more than there are, and from the middle of what was dropped, there is no proof.
func (l *Log) Head(tx *bbolt.Tx, from int64) (checkpoint string, proof tlog.TreeProof, err error) {
	if checkpoint, err = l.Checkpoint(tx); err != nil {
		return "", nil, err
	}
	p, err := l.pruned(tx)
	if err != nil {
		return "", nil, err
	}
	if size := Size(tx); from > 0 && from >= p.Before && from <= size {
		if proof, err = tlog.ProveTree(size, from, reader(tx)); err != nil {
			return "", nil, fmt.Errorf("audit: proving that the log has only grown: %w", err)
		}
	}
	return checkpoint, proof, nil
}

// OpenHead reads a checkpoint that the terminal with this verifier key has signed, and nobody else.
func OpenHead(checkpoint, key string) (Head, error) {
	verifier, err := note.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		return Head{}, fmt.Errorf("checkpoint: %w", ErrKey)
	}
	size, root, err := openCheckpoint(checkpoint, verifier)
	return Head{Size: size, Root: root}, err
}

// Continues checks that later's log holds all of h's: every log holds the empty one's.
func (h Head) Continues(proof tlog.TreeProof, later Head) error {
	if h.Size == 0 {
		return nil
	}
	if later.Size < h.Size || tlog.CheckTree(proof, later.Size, later.Root, h.Size, h.Root) != nil {
		return fmt.Errorf("a log of %d records after one of %d: %w", later.Size, h.Size, ErrRewound)
	}
	return nil
}

// Countersign adds the hub's signature to a checkpoint that a terminal has signed. The hub's name is not the terminal's,
// so neither can stand for the other.
func Countersign(checkpoint, key string, hub note.Signer) (string, error) {
	verifier, err := note.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		return "", fmt.Errorf("countersigning: %w", ErrKey)
	}
	n, err := note.Open([]byte(checkpoint), note.VerifierList(verifier))
	if err != nil {
		return "", fmt.Errorf("countersigning: %w", ErrCheckpoint)
	}
	signed, err := note.Sign(n, hub)
	if err != nil {
		return "", fmt.Errorf("countersigning: %w", err)
	}
	return string(signed), nil
}
