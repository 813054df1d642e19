package keyslot

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"testing"
)

// The derivation that leaves nothing behind gives what the standard library's does, so that keys made with that go on opening.
func TestDerivationIsTheStandardOne(t *testing.T) {
	for name, of := range map[string]func() hash.Hash{"SHA-256": sha256.New, "SHA-512": sha512.New} {
		secret, got := make([]byte, of().Size()), make([]byte, KeySize)
		rand.Read(secret)
		hkdfInto(of, secret, []byte("info"), got)
		want, err := hkdf.Key(of, secret, nil, "info", KeySize)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x, %v", name, got, want, err)
		}
	}
	seed, got := make([]byte, seedSize), make([]byte, KeySize)
	rand.Read(seed)
	if err := derive(seed, 7, got); err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512(seed)
	want, err := hkdf.Key(sha512.New, sum[:], nil, "tillprint root key 1 \x00\x00\x00\x00\x00\x00\x00\x07", KeySize)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, want %x, %v", got, want, err)
	}
	half := make([]byte, HalfSize)
	rand.Read(half)
	h := hmac.New(sha256.New, half)
	h.Write([]byte("tillprint half of a root key 1"))
	if next := NextHalf(half); !bytes.Equal(next, h.Sum(nil)) {
		t.Errorf("the chain of halves has changed: %x", next)
	}
}
