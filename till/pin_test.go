package till

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"

	"github.com/tillprint/tillprint/store/pin"
)

// phc makes a verifier of the least cost, as the hub does at a higher one.
func phc(digits string) string {
	salt := []byte("salt of a test")
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=19$m=8,t=1,p=1$%s$%s", b.EncodeToString(salt), b.EncodeToString(argon2.IDKey(secret(digits), salt, 1, 8, 1, 32)))
}

func secret(digits string) []byte { return pin.Secret(pepper, []byte(digits)) }

func TestVerifier(t *testing.T) {
	v, err := parseVerifier(phc("493201"))
	if err != nil {
		t.Fatal(err)
	}
	if !v.holds(secret("493201")) || v.holds(secret("493202")) || v.holds([]byte("493201")) || v.holds(nil) {
		t.Error("a verifier does not tell PINs apart")
	}
	if _, err := parseVerifier(standIn); err != nil {
		t.Errorf("the stand-in: %v", err)
	}
}

// TestI6VerifierIsBounded: a verifier from outside cannot make the till work
// without end.
func TestI6VerifierIsBounded(t *testing.T) {
	good := phc("1")
	for _, bad := range []string{"", "$", strings.Repeat("$", 600), strings.Replace(good, "m=8", "m=999999999", 1),
		strings.Replace(good, "m=8", "m=65537", 1), strings.Replace(good, "t=1", "t=0", 1), strings.Replace(good, "t=1", "t=11", 1),
		strings.Replace(good, "p=1", "p=5", 1), strings.Replace(good, "p=1", "p=1,x=2", 1), strings.Replace(good, "argon2id", "argon2i", 1),
		strings.Replace(good, "v=19", "v=16", 1), good + "$", good[:len(good)-30], good + "="} {
		if _, err := parseVerifier(bad); err == nil {
			t.Errorf("%.80q was taken", bad)
		}
	}
}

func FuzzVerifier(f *testing.F) {
	f.Add(phc("1"))
	f.Add(standIn)
	f.Add("$argon2id$v=19$m=8,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, s string) {
		v, err := parseVerifier(s)
		if err == nil && (v.memory > mostMemory || v.passes > mostPasses || v.lanes > mostLanes || len(v.hash) > mostKey) {
			t.Errorf("%q is beyond the limits", s)
		}
	})
}
