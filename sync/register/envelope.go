package register

import (
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/tillprint/tillprint/consent"
)

// Purpose is what an envelope holds. It is part of what the seal binds: one kind never opens as another.
type Purpose string

const (
	PurposeTemplate Purpose = "template" // a subject's finger, from the terminal that enrolled it to another one
	PurposePerson   Purpose = "person"   // a Person record, from the hub to a terminal
	PurposePepper   Purpose = "pepper"   // the site's PIN pepper, from the hub to a terminal that joins
)

// Hub is the sender's name in envelopes that the hub makes. No terminal may have it.
const Hub = "hub"

// Label is the readable outside of an envelope. Seal and signature bind every field.
type Label struct {
	Purpose  Purpose           `json:"purpose"`
	Site     string            `json:"site"`
	From     string            `json:"from"`
	To       string            `json:"to"`
	Subject  consent.SubjectID `json:"subject,omitempty"`
	Finger   uint8             `json:"finger,omitempty"`   // ISO/IEC 19794-2 finger position 1 to 10, or 0
	Revision uint64            `json:"revision,omitempty"` // of a person record; of a template its enrolment, Unix seconds
}

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

func (l *Label) check() error {
	bad := func(what string) error { return fmt.Errorf("%w: an envelope's %s", ErrMalformed, what) }
	switch l.Purpose {
	case PurposeTemplate, PurposePerson:
		if _, err := consent.ParseSubjectID(string(l.Subject)); err != nil {
			return bad("subject")
		}
	case PurposePepper:
		if l.Subject != "" {
			return bad("subject")
		}
	default:
		return bad("purpose")
	}
	switch {
	case !ValidName(l.Site):
		return bad("site")
	case !ValidName(l.From) || (l.From == Hub) == (l.Purpose == PurposeTemplate):
		return bad("sender")
	case !ValidName(l.To) || l.To == Hub || l.To == l.From:
		return bad("recipient")
	case l.Finger > 10 || l.Finger != 0 && l.Purpose != PurposeTemplate:
		return bad("finger")
	}
	return nil
}

// bytes is the label with every part preceded by its length, so that no two labels have the same bytes.
func (l *Label) bytes() []byte {
	b := append([]byte(nil), sealInfo...)
	for _, part := range []string{string(l.Purpose), l.Site, l.From, l.To, string(l.Subject)} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	b = append(b, l.Finger)
	return binary.BigEndian.AppendUint64(b, l.Revision)
}

func (e *Envelope) signed() []byte {
	sum := sha256.Sum256(e.Sealed)
	return append(e.bytes(), sum[:]...)
}
