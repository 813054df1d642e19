package hub

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"io"
	"sync"
	"time"
)

// nonceLife is for how long a nonce can be used. Terminals hold one over the
// longest wait and a lunch break of a proxy.
const nonceLife = 15 * time.Minute

// nonces makes requests good for one time, without a clock at the terminal. A
// nonce is a time, random bytes and a MAC under a key that lives as long as the
// process: so only nonces that were used need to be remembered, and those from
// before a restart are unknown, not replayable.
type nonces struct {
	mu   sync.Mutex
	key  []byte               // guarded by mu
	used map[string]time.Time // until when it must be remembered; guarded by mu
	last time.Time            // of the last sweep; guarded by mu
}

const nonceBytes = 8 + 16 + 16 // time, random, MAC

// fresh draws a nonce.
func (n *nonces) fresh(now time.Time, random io.Reader) (string, error) {
	b, err := randomBytes(random, nonceBytes)
	if err != nil {
		return "", err
	}
	binary.BigEndian.PutUint64(b, uint64(now.Unix()))
	copy(b[24:], n.mac(b[:24]))
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// use reports whether the nonce is one of ours, young and unused, and uses it up.
// Call it only after the signature has been verified, so that strangers cannot
// fill the memory.
func (n *nonces) use(nonce string, now time.Time) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(nonce)
	if err != nil || len(b) != nonceBytes || !hmac.Equal(b[24:], n.mac(b[:24])) {
		return false
	}
	made := time.Unix(int64(binary.BigEndian.Uint64(b)), 0)
	if now.Sub(made) > nonceLife || made.Sub(now) > nonceLife {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, again := n.used[nonce]; again {
		return false
	}
	n.used[nonce] = made.Add(2 * nonceLife)
	if now.Sub(n.last) > nonceLife || n.last.After(now) {
		n.last = now
		for k, until := range n.used {
			if now.After(until) {
				delete(n.used, k)
			}
		}
	}
	return true
}

func (n *nonces) mac(b []byte) []byte {
	n.mu.Lock()
	if n.key == nil {
		n.key = make([]byte, 32)
		rand.Read(n.key) // never fails, and must differ between two runs even when Config.Rand is fixed
		n.used = map[string]time.Time{}
	}
	m := hmac.New(sha256.New, n.key)
	n.mu.Unlock()
	m.Write(b)
	return m.Sum(nil)[:16]
}
