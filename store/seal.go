package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/tillprint/tillprint/locked"
)

const (
	schema     = 1 // version of everything sealed
	nonceSize  = chacha20poly1305.NonceSizeX
	sealedOver = 1 + nonceSize + chacha20poly1305.Overhead // bytes that sealing adds
)

var errSealed = errors.New("it does not open: damaged, from elsewhere, or its key is gone")

// binding is the associated data of a sealed value: each part with its length in front, so that no two lists of parts
// give the same bytes. It always begins with purpose, schema, site and terminal.
func (id Identity) binding(purpose string, parts ...string) []byte {
	b := make([]byte, 0, 192) // one allocation for all but the longest names: the check binds tens of thousands
	for _, p := range [...]string{purpose, strconv.Itoa(schema), id.Site, id.Terminal} {
		b = appendPart(b, p)
	}
	for _, p := range parts {
		b = appendPart(b, p)
	}
	return b
}

func appendPart(b []byte, part string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(part))), part...)
}

// seal gives version, random nonce, ciphertext and tag. The nonce has 24 bytes, so drawing it needs no counter
// that a restored card could set back.
func seal(rand io.Reader, key, plain, binding []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("sealing: %w", err)
	}
	defer locked.Forget(aead) // NewX puts a copy of the key on the Go heap; those made at work are of a key for the one nonce, on the stack
	out := make([]byte, 1+nonceSize, sealedOver+len(plain))
	out[0] = schema
	if _, err := io.ReadFull(rand, out[1:]); err != nil {
		return nil, fmt.Errorf("drawing a nonce: %w", err)
	}
	return aead.Seal(out, out[1:1+nonceSize], plain, binding), nil
}

// open decrypts into dst's memory if it is large enough (len(sealed)-sealedOver bytes), so that the clear text of a
// template never leaves the caller's locked page.
func open(dst, key, sealed, binding []byte) ([]byte, error) {
	if len(sealed) < sealedOver || sealed[0] != schema {
		return nil, errSealed
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("opening: %w", err)
	}
	defer locked.Forget(aead)
	plain, err := aead.Open(dst[:0], sealed[1:1+nonceSize], sealed[1+nonceSize:], binding)
	if err != nil {
		return nil, errSealed
	}
	return plain, nil
}
