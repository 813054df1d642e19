package audit_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tillprint/tillprint/store/audit"
)

// TestACosignatureIsWhatC2SPSays takes one apart by hand, as another program would that has only the specification.
func TestACosignatureIsWhatC2SPSays(t *testing.T) {
	key := ed25519.NewKeyFromSeed([]byte("the seed of a hub's signing key."))
	public := key.Public().(ed25519.PublicKey)
	text := "tillprint/oakfield/till-1\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
	signed, err := note.Sign(&note.Note{Text: text}, audit.NewCosigner(key, time.Unix(1679315147, 500)))
	if err != nil {
		t.Fatal(err)
	}
	line, ok := strings.CutPrefix(string(signed), text+"\n— tillprint/hub ")
	b, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(line, "\n"))
	if !ok || err != nil || len(b) != 4+8+64 {
		t.Fatalf("%s", signed)
	}
	sum := sha256.Sum256(append([]byte("tillprint/hub\n\x04"), public...))
	if string(b[:4]) != string(sum[:4]) || binary.BigEndian.Uint64(b[4:]) != 1679315147 {
		t.Errorf("key id or time: %x", b[:12])
	}
	if !ed25519.Verify(public, []byte("cosignature/v1\ntime 1679315147\n"+text), b[12:]) {
		t.Error("the signature is over something else")
	}
	if want := fmt.Sprintf("tillprint/hub+%x+%s", sum[:4], base64.StdEncoding.EncodeToString(append([]byte{4}, public...))); audit.CosignKey(public) != want {
		t.Errorf("key %s, want %s", audit.CosignKey(public), want)
	}
	if _, err := note.Sign(&note.Note{Text: text}, audit.NewCosigner(key, time.Unix(0, 0))); err == nil {
		t.Error("countersigned in 1970: a hub without a clock says nothing about when")
	}
}

func TestKeysOfCosignersAreReadStrictly(t *testing.T) {
	good := audit.CosignKey(make(ed25519.PublicKey, ed25519.PublicKeySize))
	if v, err := audit.NewCosignVerifier(" " + good + "\n"); err != nil || v.Name() != audit.HubName {
		t.Fatal(err)
	}
	plain, err := note.NewEd25519VerifierKey("tillprint/hub", make(ed25519.PublicKey, ed25519.PublicKeySize))
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "tillprint/hub", plain, good + "A", strings.Replace(good, "+", "+0", 1), strings.Replace(good, "hub", "pub", 1), strings.Replace(good, "/", " ", 1)} {
		if _, err := audit.NewCosignVerifier(bad); err == nil {
			t.Errorf("%q is taken for a key", bad)
		}
	}
}
