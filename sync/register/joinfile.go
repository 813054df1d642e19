package register

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// MaxJoinFile bounds a JoinFile, in bytes. A hub that has more people than fit leaves the last ones to the first contact.
const MaxJoinFile = 64 << 20

// JoinFile is a hub's answer to a JoinRequest that was carried to it in a file: all that a terminal needs to serve before it
// ever reaches its hub. Everything secret in it is sealed to the terminal that made the request; the register proves itself,
// and its checkpoint brings the lease, so that what is carried about for long permits nothing (I4, I7).
type JoinFile struct {
	Request  []byte      `json:"request"` // SHA-256 of the request, as Asked gives it
	Answer   JoinAnswer  `json:"answer"`
	Register []string    `json:"register"` // batches from the first entry to the head, superseded entries elided
	People   []*Envelope `json:"people,omitempty"`
	Hub      []byte      `json:"hub"`   // the hub's TLS public key, whose SHA-256 the join code names
	Proof    []byte      `json:"proof"` // by that key; see Sign
}

const joinFileText = "tillprint join file v1\n"

// Asked is how a JoinFile names the request that it answers.
func (r *JoinRequest) Asked() []byte {
	sum := sha256.Sum256(r.text())
	return sum[:]
}

// Sign fills in Hub and Proof with the hub's TLS key: the one thing of the hub that a terminal knows from its code.
func (f *JoinFile) Sign(key crypto.Signer, random io.Reader) (err error) {
	if f.Hub, err = x509.MarshalPKIXPublicKey(key.Public()); err != nil {
		return fmt.Errorf("signing a join file: %w", err)
	}
	sum, err := f.sum()
	if err != nil {
		return err
	}
	if f.Proof, err = key.Sign(random, sum, crypto.SHA256); err != nil {
		return fmt.Errorf("signing a join file: %w", err)
	}
	return nil
}

// Check says whether the file answers this request, and comes from the hub that the code names.
func (f *JoinFile) Check(code JoinCode, request *JoinRequest) error {
	if sum := sha256.Sum256(f.Hub); subtle.ConstantTimeCompare(sum[:], code.Pin[:]) != 1 {
		return fmt.Errorf("%w: the answer comes from another hub than the one that made the join code", ErrUnsigned)
	}
	key, err := x509.ParsePKIXPublicKey(f.Hub)
	public, ok := key.(*ecdsa.PublicKey)
	if err != nil || !ok {
		return fmt.Errorf("%w: the answer's hub has no key of a kind that is known here", ErrUnsigned)
	}
	sum, err := f.sum()
	if err != nil {
		return err
	}
	if !ecdsa.VerifyASN1(public, sum, f.Proof) {
		return fmt.Errorf("%w: the answer was altered on its way", ErrUnsigned)
	}
	if !bytes.Equal(f.Request, request.Asked()) {
		return errors.New("the answer is to another request: it is for another terminal, or for an earlier request of this one")
	}
	return f.Answer.Check(code.Site)
}

// Check says whether an answer is complete, and about the site.
func (a *JoinAnswer) Check(site string) error {
	if a.Site != site || !ValidName(a.Terminal) || len(a.Key) != 32 || a.Pepper == nil {
		return errors.New("the hub's answer is incomplete: bring hub and terminal to the same release")
	}
	return nil
}

// Entries verifies the register in a checked file and returns its entries with its last checkpoint, as signed.
func (f *JoinFile) Entries() (entries []*Entry, last *Checkpoint, signed []byte, err error) {
	hub, err := NewVerifier(f.Answer.Site, f.Answer.Key)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, text := range f.Register {
		b, err := ParseBatch([]byte(text))
		if err != nil {
			return nil, nil, nil, err
		}
		part, next, err := b.Verify(f.Answer.Site, hub, last, true)
		if err != nil {
			return nil, nil, nil, err
		}
		entries, last, signed = append(entries, part...), next, b.Checkpoint
	}
	if last == nil || last.Size != last.Head {
		return nil, nil, nil, fmt.Errorf("%w: a register that is not whole", ErrSequence)
	}
	return entries, last, signed, nil
}

func (f *JoinFile) sum() ([]byte, error) {
	bare := *f
	bare.Proof = nil
	text, err := json.Marshal(bare)
	if err != nil {
		return nil, fmt.Errorf("reading a join file: %w", err)
	}
	sum := sha256.Sum256(append([]byte(joinFileText), text...))
	return sum[:], nil
}

// ParseJoinFile reads a file; nothing in it may be used before Check.
func ParseJoinFile(b []byte) (*JoinFile, error) {
	f := new(JoinFile)
	if err := decodeStrict(b, MaxJoinFile, f); err != nil {
		return nil, fmt.Errorf("%w: this is no answer to a join request: %v", ErrMalformed, err)
	}
	return f, nil
}

// ParseJoinRequest reads a request that was carried in a file.
func ParseJoinRequest(b []byte) (*JoinRequest, error) {
	r := new(JoinRequest)
	if err := decodeStrict(b, MaxEntry, r); err != nil {
		return nil, fmt.Errorf("%w: this is no join request: %v", ErrMalformed, err)
	}
	return r, r.Check()
}
