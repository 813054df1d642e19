package hub

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Cost is what one Argon2id computation takes (RFC 9106), see pin.Cost.
type Cost struct {
	Passes  uint32 // 1 to 64
	KiB     uint32 // memory, 8 to 1048576 and at least 8 for each thread
	Threads uint8  // 1 to 64
}

const (
	saltLength = 16
	hashLength = 32
)

func (c Cost) check() error {
	if c.Passes < 1 || c.Passes > 64 || c.Threads < 1 || c.Threads > 64 || c.KiB < 8*uint32(c.Threads) || c.KiB > 1<<20 {
		return fmt.Errorf("an Argon2id cost of %d passes, %d KiB and %d threads is out of range: use 1-64 passes, 8-1048576 KiB, 1-64 threads", c.Passes, c.KiB, c.Threads)
	}
	return nil
}

// verifier returns the PHC string that verifies secret:
// $argon2id$v=19$m=KiB,t=passes,p=threads$salt$hash.
func (c Cost) verifier(secret []byte, random io.Reader) (string, error) {
	salt, err := randomBytes(random, saltLength)
	if err != nil {
		return "", err
	}
	hash := argon2.IDKey(secret, salt, c.Passes, c.KiB, c.Threads, hashLength)
	text := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.KiB, c.Passes, c.Threads, text(salt), text(hash)), nil
}

// verify reports whether secret is the one that phc was made from. The cost is
// read from phc, which comes from our own database, and is bounded all the same.
func verify(phc string, secret []byte) (bool, error) {
	c, salt, hash, err := parsePHC(phc)
	if err != nil {
		return false, fmt.Errorf("reading a stored verifier: %w; set the password again", err)
	}
	got := argon2.IDKey(secret, salt, c.Passes, c.KiB, c.Threads, uint32(len(hash)))
	return subtle.ConstantTimeCompare(got, hash) == 1, nil
}

// parsePHC takes a PHC string apart.
func parsePHC(phc string) (c Cost, salt, hash []byte, err error) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return c, nil, nil, errors.New("it is not Argon2id")
	}
	var version int
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &c.KiB, &c.Passes, &c.Threads); err != nil {
		return c, nil, nil, err
	}
	if err := c.check(); err != nil || version != argon2.Version {
		return c, nil, nil, errors.New("it has parameters that this version does not know")
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	hash, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(hash) < 16 || len(hash) > 64 || len(salt) > 64 {
		return c, nil, nil, errors.New("its salt or hash is damaged")
	}
	return c, salt, hash, nil
}
