package keyslot

import (
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"hash"

	"github.com/tillprint/tillprint/locked"
)

// derive turns the seed of an epoch into its key. The epoch is bound in, so that bytes that are copied from one place
// to the other open nothing.
func derive(seed []byte, epoch uint64, dst []byte) error {
	if len(dst) != KeySize {
		return fmt.Errorf("keyslot: a key has %d bytes, not %d", KeySize, len(dst))
	}
	defer roomOnStack()()
	sum := locked.Make[byte](sha512.Size)
	defer locked.Free(sum)
	h := sha512.New()
	defer locked.Forget(h)
	h.Write(seed)
	h.Sum(sum[:0])
	hkdfInto(sha512.New, sum, binary.BigEndian.AppendUint64([]byte("tillprint root key 1 "), epoch), dst)
	return nil
}

// hkdfInto is the HKDF of RFC 5869 without a salt, for a key of at most one hash. The standard library's leaves the states of its HMAC on the
// Go heap, from which the key follows; here everything on the way is overwritten.
func hkdfInto(of func() hash.Hash, secret, info, dst []byte) {
	m := newMAC(of)
	defer m.free()
	room := locked.Make[byte](2 * m.Size())
	defer locked.Free(room)
	extracted, expanded := room[:m.Size():m.Size()], room[m.Size():]
	m.write(extracted, nil, secret)
	m.write(expanded, extracted, info, []byte{1})
	copy(dst, expanded)
}

// mac is HMAC with one hash, which it uses again and again, and forgets.
type mac struct {
	hash.Hash
	block []byte
}

func newMAC(of func() hash.Hash) mac {
	h := of()
	return mac{h, locked.Make[byte](h.BlockSize())}
}

func (m mac) free() {
	locked.Forget(m.Hash)
	locked.Free(m.block)
}

// write puts the HMAC of parts into dst, which has room for a hash and may be the key, which is at most a block long.
func (m mac) write(dst, key []byte, parts ...[]byte) {
	const inner, outer = 0x36, 0x5c
	clear(m.block)
	copy(m.block, key)
	flip(m.block, inner)
	m.Reset()
	m.Write(m.block)
	for _, part := range parts {
		m.Write(part)
	}
	m.Sum(dst[:0])
	flip(m.block, inner^outer)
	m.Reset()
	m.Write(m.block)
	m.Write(dst[:m.Size()])
	m.Sum(dst[:0])
}

func flip(b []byte, with byte) {
	for i := range b {
		b[i] ^= with
	}
}

// roomOnStack makes room for what the hashes leave on the stack; what it returns overwrites that.
func roomOnStack() func() {
	locked.Scrub()
	return locked.Scrub
}
