package register

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
)

// RejoinRequest asks to be let in again: a terminal has lost the key of its store, and with it everything by which the hub
// knew it. It brings new keys and a new name, since receipts go by names. Nobody vouches for it but a person who reads
// its Code at the till and keys it in at the office.
type RejoinRequest struct {
	Site  string            `json:"site"`
	Was   string            `json:"was"`  // the terminal that it says it was
	Name  string            `json:"name"` // its new name
	Sign  ed25519.PublicKey `json:"sign"`
	Seal  []byte            `json:"seal"`  // HPKE public key
	Proof []byte            `json:"proof"` // by Sign; see Prove
}

// Prove signs the request with the terminal's new key.
func (r *RejoinRequest) Prove(key ed25519.PrivateKey) { r.Proof = ed25519.Sign(key, r.text()) }

// Check says whether the request is well formed and proves its key. Whether to believe it is the office's to judge.
func (r *RejoinRequest) Check() error {
	if !ValidName(r.Site) || !ValidName(r.Was) || !ValidName(r.Name) || r.Name == Hub || r.Name == r.Was {
		return fmt.Errorf("%w: the names of a request to be let in again", ErrMalformed)
	}
	if _, err := ParseSealPublic(r.Seal); err != nil {
		return err
	}
	if len(r.Sign) != ed25519.PublicKeySize || !ed25519.Verify(r.Sign, r.text(), r.Proof) {
		return fmt.Errorf("%w: a request to be let in again", ErrUnsigned)
	}
	return nil
}

func (r *RejoinRequest) text() []byte {
	return fmt.Appendf(nil, "tillprint rejoin v1\n%s\n%s\n%s\n%x\n%x\n", r.Site, r.Was, r.Name, []byte(r.Sign), r.Seal)
}

// crockford has no letter that is taken for a digit.
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// codeLength is 50 bits: nobody who listens in can make a key with the same code within days.
const codeLength = 10

// Code is what is read aloud: ten letters and digits drawn from the request's keys and names, as "7K3QZ-9M2TA".
func (r *RejoinRequest) Code() string {
	sum := sha256.Sum256(r.text())
	code := crockford.EncodeToString(sum[:])[:codeLength]
	return code[:codeLength/2] + "-" + code[codeLength/2:]
}

// CleanCode brings a code as a person keys it into the form of Code: any case, spaces and hyphens anywhere, O for 0, I and
// L for 1. What can be no code becomes "".
func CleanCode(keyed string) string {
	keyed = keyed[:min(len(keyed), 64)]
	keyed = strings.NewReplacer(" ", "", "-", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(keyed))
	if len(keyed) != codeLength {
		return ""
	}
	for _, c := range keyed {
		if !strings.ContainsRune("0123456789ABCDEFGHJKMNPQRSTVWXYZ", c) {
			return ""
		}
	}
	return keyed[:codeLength/2] + "-" + keyed[codeLength/2:]
}
