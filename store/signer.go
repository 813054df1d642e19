package store

import (
	"crypto/ed25519"

	"golang.org/x/mod/sumdb/note"
)

// signer signs the log's checkpoints as the terminal's note key. The package note's own signer keeps the key as a string
// on the heap for good; this one takes it from the key table each time.
type signer struct {
	note.Verifier // name and hash of the key
	s             *Store
}

// Sign is called with the store's mu held, as every use of the log is.
func (n signer) Sign(msg []byte) ([]byte, error) {
	if n.s.table == nil {
		return nil, errClosed
	}
	key := ed25519.NewKeyFromSeed(n.s.table.secrets[secretSigning])
	defer clear(key)
	return ed25519.Sign(key, msg), nil
}
