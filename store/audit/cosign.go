package audit

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// HubName is under what name a hub countersigns. It is the same for all its sites, since the key is and the signature does not
// commit to the name.
const HubName = "tillprint/hub"

// algCosignature is the type of a timestamped cosignature in a note's key, as C2SP's tlog-cosignature gives it.
const algCosignature = 4

// cosignatureSize is the time, 8 bytes big-endian, and an Ed25519 signature.
const cosignatureSize = 8 + ed25519.SignatureSize

// cosigner signs the head of somebody else's log: as of that time, the longest that this hub has seen of it, and all of
// what it has seen before.
type cosigner struct {
	key ed25519.PrivateKey
	at  time.Time
}

// NewCosigner makes a signer that countersigns as of a time.
func NewCosigner(key ed25519.PrivateKey, at time.Time) note.Signer { return cosigner{key, at} }

func (c cosigner) Name() string { return HubName }

func (c cosigner) KeyHash() uint32 {
	return cosignVerifier{HubName, c.key.Public().(ed25519.PublicKey)}.KeyHash() // an Ed25519 key has no other
}

func (c cosigner) Sign(text []byte) ([]byte, error) {
	at := c.at.Unix()
	if at <= 0 {
		return nil, errors.New("a countersignature needs a time")
	}
	out := binary.BigEndian.AppendUint64(nil, uint64(at))
	return append(out, ed25519.Sign(c.key, cosigned(text, uint64(at)))...), nil
}

// cosigned is what is signed: a head line, the time, and the whole text of the checkpoint.
func cosigned(text []byte, at uint64) []byte {
	return append([]byte("cosignature/v1\ntime "+strconv.FormatUint(at, 10)+"\n"), text...)
}

type cosignVerifier struct {
	name string
	key  ed25519.PublicKey
}

func (v cosignVerifier) Name() string { return v.name }

func (v cosignVerifier) KeyHash() uint32 {
	sum := sha256.Sum256(append([]byte(v.name+"\n"), v.material()...))
	return binary.BigEndian.Uint32(sum[:])
}

func (v cosignVerifier) material() []byte { return append([]byte{algCosignature}, v.key...) }

func (v cosignVerifier) Verify(text, signature []byte) bool {
	if len(signature) != cosignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(signature)
	return at > 0 && at < 1<<63 && ed25519.Verify(v.key, cosigned(text, at), signature[8:])
}

// CosignKey is the key with which anybody verifies a hub's countersignatures, in the form of a note's key.
func CosignKey(key ed25519.PublicKey) string {
	v := cosignVerifier{HubName, key}
	return fmt.Sprintf("%s+%08x+%s", v.name, v.KeyHash(), base64.StdEncoding.EncodeToString(v.material()))
}

// NewCosignVerifier reads a key that CosignKey has written.
func NewCosignVerifier(text string) (note.Verifier, error) {
	name, rest, _ := strings.Cut(strings.TrimSpace(text), "+")
	hash, encoded, _ := strings.Cut(rest, "+")
	material, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(material) != 1+ed25519.PublicKeySize || material[0] != algCosignature || name == "" || strings.ContainsAny(name, " \n") {
		return nil, ErrKey
	}
	v := cosignVerifier{name, material[1:]}
	if hash != fmt.Sprintf("%08x", v.KeyHash()) {
		return nil, ErrKey
	}
	return v, nil
}

// cosignedAt is the time in a countersignature that has been verified.
func cosignedAt(s note.Signature) (time.Time, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s.Base64) // the one spelling of its bytes, or a byte could change unnoticed
	if err != nil || len(b) != 4+cosignatureSize {
		return time.Time{}, ErrCheckpoint
	}
	return time.Unix(int64(binary.BigEndian.Uint64(b[4:])), 0).UTC(), nil
}
