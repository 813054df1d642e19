package register

import (
	"crypto/sha256"
	"encoding/hex"
)

// KeyFingerprint is a terminal's own key in sixteen digits, for a label, the hub's page and the doctor: whoever stands before
// a terminal sees whether it is the one that the hub knows. key is its verifier key, with which receipts are checked.
func KeyFingerprint(key string) string {
	sum := sha256.Sum256([]byte(key))
	text := hex.EncodeToString(sum[:8])
	return text[:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:]
}
