package till

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Limits on what a verifier may cost here: it comes from outside, and a hostile
// one must not stop the till (I6). OWASP's equivalents of Argon2id lie well
// inside (7 to 46 MiB, 1 to 5 passes).
const (
	mostMemory = 64 << 10 // KiB
	mostPasses = 10
	mostLanes  = 4
	mostKey    = 64 // bytes of salt and of hash
)

// standIn is verified when no pupil has the PIN that was keyed, so that a wrong
// PIN takes as long as a right one. Its cost is that of the site's verifiers
// once one has been seen.
const standIn = "$argon2id$v=19$m=7168,t=5,p=1$dGlsbHByaW50LXN0YW5kLWlu$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

var errVerifier = errors.New("till: a PIN verifier is not in the PHC form of Argon2id; have the office draw this PIN again")

// verifier is a parsed PHC string, $argon2id$v=19$m=..,t=..,p=..$salt$hash.
type verifier struct {
	memory, passes uint32
	lanes          uint8
	salt, hash     []byte
}

// parseVerifier reads a PHC string within the limits above.
func parseVerifier(phc string) (verifier, error) {
	var v verifier
	if len(phc) > 512 {
		return v, errVerifier
	}
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return v, errVerifier
	}
	var rest string
	n, _ := fmt.Sscanf(parts[3]+" .", "m=%d,t=%d,p=%d %s", &v.memory, &v.passes, &v.lanes, &rest)
	if n != 4 || rest != "." || v.memory < 8 || v.memory > mostMemory || v.passes < 1 || v.passes > mostPasses || v.lanes < 1 || v.lanes > mostLanes {
		return v, errVerifier
	}
	var err1, err2 error
	v.salt, err1 = base64.RawStdEncoding.Strict().DecodeString(parts[4])
	v.hash, err2 = base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(v.salt) < 8 || len(v.salt) > mostKey || len(v.hash) < 16 || len(v.hash) > mostKey {
		return v, errVerifier
	}
	return v, nil
}

// holds reports whether this is the secret (see pin.Secret) behind the verifier, in
// time that does not depend on it.
func (v verifier) holds(secret []byte) bool {
	got := argon2.IDKey(secret, v.salt, v.passes, v.memory, v.lanes, uint32(len(v.hash)))
	defer clear(got)
	return subtle.ConstantTimeCompare(got, v.hash) == 1
}
