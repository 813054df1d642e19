package register

import (
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// Envelope is a secret on its way through a hub that cannot open it: sealed with HPKE (RFC 9180) to one recipient and signed by
// its sender, because HPKE alone does not say who sealed it.
//
// The key agreement is X25519 with ML-KEM-768 (X-Wing): a child's finger stays the same for a lifetime, so what is recorded
// on the wire today must not open when quantum computers exist.
type Envelope struct {
	Label
	Sealed []byte `json:"sealed"`    // encapsulated key (1120 bytes) and ChaCha20-Poly1305 ciphertext
	Sig    []byte `json:"signature"` // Ed25519 by the sender over label and Sealed
}

func sealSuite() (hpke.KEM, hpke.KDF, hpke.AEAD) {
	return hpke.MLKEM768X25519(), hpke.HKDFSHA256(), hpke.ChaCha20Poly1305()
}

var sealInfo = []byte("tillprint envelope v1")

const sealOverhead = 1120 + 16 // bytes that sealing adds

// NewSealKey makes a recipient's HPKE key pair: a 32-byte secret to keep sealed, and a public key of 1216 bytes.
func NewSealKey() (secret, public []byte, err error) {
	kem, _, _ := sealSuite()
	key, err := kem.GenerateKey()
	if err != nil {
		return nil, nil, fmt.Errorf("making a sealing key: %w", err)
	}
	if secret, err = key.Bytes(); err != nil {
		return nil, nil, fmt.Errorf("making a sealing key: %w", err)
	}
	return secret, key.PublicKey().Bytes(), nil
}

// SealPublic is the public key that belongs to a secret one.
func SealPublic(secret []byte) ([]byte, error) {
	kem, _, _ := sealSuite()
	key, err := kem.NewPrivateKey(secret)
	if err != nil {
		return nil, fmt.Errorf("reading a sealing key: %w", err)
	}
	return key.PublicKey().Bytes(), nil
}

// ParseSealPublic checks a recipient's public key.
func ParseSealPublic(b []byte) (hpke.PublicKey, error) {
	kem, _, _ := sealSuite()
	key, err := kem.NewPublicKey(b)
	if err != nil {
		return nil, fmt.Errorf("%w: a public sealing key: %v", ErrMalformed, err)
	}
	return key, nil
}

// Seal puts secret into an envelope for the holder of the public key and signs it. The caller clears secret.
func Seal(l Label, secret, recipient []byte, sender ed25519.PrivateKey) (*Envelope, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	if len(secret) > MaxEnvelope/2 {
		return nil, fmt.Errorf("%w: %d bytes are too many for an envelope", ErrMalformed, len(secret))
	}
	public, err := ParseSealPublic(recipient)
	if err != nil {
		return nil, err
	}
	_, kdf, aead := sealSuite()
	encapsulated, s, err := hpke.NewSender(public, kdf, aead, sealInfo)
	if err != nil {
		return nil, fmt.Errorf("sealing for %q: %w", l.To, err)
	}
	ciphertext, err := s.Seal(l.bytes(), secret)
	if err != nil {
		return nil, fmt.Errorf("sealing for %q: %w", l.To, err)
	}
	e := &Envelope{Label: l, Sealed: append(encapsulated, ciphertext...)}
	e.Sig = ed25519.Sign(sender, e.signed())
	return e, nil
}

// Check verifies the sender's signature without opening.
func (e *Envelope) Check(sender ed25519.PublicKey) error {
	if err := e.check(); err != nil {
		return err
	}
	if len(sender) != ed25519.PublicKeySize || !ed25519.Verify(sender, e.signed(), e.Sig) {
		return fmt.Errorf("%w: an envelope that claims to come from %q", ErrUnsigned, e.From)
	}
	return nil
}

// Open checks that the envelope comes from the sender and carries the wanted label's purpose, site and recipient, and opens
// it with the recipient's secret key. The caller clears what is returned.
func (e *Envelope) Open(want Label, secret []byte, sender ed25519.PublicKey) ([]byte, error) {
	if err := e.Check(sender); err != nil {
		return nil, err
	}
	if e.Purpose != want.Purpose || e.Site != want.Site || e.To != want.To || e.From != want.From {
		return nil, fmt.Errorf("%w: it is a %s from %q of %q for %q, expected a %s from %q of %q for %q", ErrSealed,
			e.Purpose, e.From, e.Site, e.To, want.Purpose, want.From, want.Site, want.To)
	}
	kem, kdf, aead := sealSuite()
	key, err := kem.NewPrivateKey(secret)
	if err != nil {
		return nil, fmt.Errorf("%w: the terminal's own sealing key: %v", ErrSealed, err)
	}
	r, err := hpke.NewRecipient(e.Sealed[:1120], key, kdf, aead, sealInfo)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrSealed, err)
	}
	plain, err := r.Open(e.bytes(), e.Sealed[1120:])
	if err != nil {
		return nil, fmt.Errorf("%w: it was sealed for another key", ErrSealed)
	}
	return plain, nil
}

// ID names the envelope at the hub: 43 characters of the base64url alphabet.
func (e *Envelope) ID() string {
	sum := sha256.Sum256(e.signed())
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Marshal writes the envelope as one line of JSON without the line end.
func (e *Envelope) Marshal() ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	return json.Marshal(e)
}

// ParseEnvelope reads what Marshal writes. The envelope still has to be opened or checked.
func ParseEnvelope(b []byte) (*Envelope, error) {
	e := new(Envelope)
	if err := decodeStrict(b, MaxEnvelope, e); err != nil {
		return nil, fmt.Errorf("%w: reading an envelope: %v", ErrMalformed, err)
	}
	return e, e.check()
}

func (e *Envelope) check() error {
	if len(e.Sealed) < sealOverhead || len(e.Sealed) > MaxEnvelope || len(e.Sig) != ed25519.SignatureSize {
		return fmt.Errorf("%w: an envelope of impossible size", ErrMalformed)
	}
	return e.Label.check()
}

func (e *Envelope) signed() []byte {
	sum := sha256.Sum256(e.Sealed)
	return append(e.bytes(), sum[:]...)
}
