package register

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// answered is a request, the code that it was made with, and a hub's answer to it.
func answered(t testing.TB) (code JoinCode, in *JoinRequest, f *JoinFile) {
	t.Helper()
	hub, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(hub.Public())
	if err != nil {
		t.Fatal(err)
	}
	secret, seal, err := NewSealKey()
	if err != nil {
		t.Fatal(err)
	}
	clear(secret)
	_, key, _ := ed25519.GenerateKey(rand.Reader)
	in = &JoinRequest{Site: "oakfield", Token: "t", Sign: key.Public().(ed25519.PublicKey), Seal: seal}
	in.ProveJoin(key)
	label := Label{Purpose: PurposePepper, Site: "oakfield", From: Hub, To: "till-1"}
	pepper, err := Seal(label, []byte("pepper"), seal, key)
	if err != nil {
		t.Fatal(err)
	}
	f = &JoinFile{Request: in.Asked(), Answer: JoinAnswer{Terminal: "till-1", Site: "oakfield", Key: key.Public().(ed25519.PublicKey), Pepper: pepper}}
	if err := f.Sign(hub, rand.Reader); err != nil {
		t.Fatal(err)
	}
	return JoinCode{Site: "oakfield", Pin: sha256.Sum256(public)}, in, f
}

// A join file is believed only from the code's hub, unaltered, and as the answer to this very request (I4).
func TestI4JoinFile(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*JoinCode, *JoinRequest, *JoinFile)
		want  string
	}{
		"as it came":      {func(*JoinCode, *JoinRequest, *JoinFile) {}, ""},
		"of another hub":  {func(c *JoinCode, _ *JoinRequest, _ *JoinFile) { c.Pin[0] ^= 1 }, "another hub"},
		"another answer":  {func(_ *JoinCode, _ *JoinRequest, f *JoinFile) { f.Answer.Terminal = "till-2" }, "altered"},
		"another key":     {func(_ *JoinCode, _ *JoinRequest, f *JoinFile) { f.Answer.Key[0] ^= 1 }, "altered"},
		"a register more": {func(_ *JoinCode, _ *JoinRequest, f *JoinFile) { f.Register = append(f.Register, "x") }, "altered"},
		"no proof":        {func(_ *JoinCode, _ *JoinRequest, f *JoinFile) { f.Proof = nil }, "altered"},
		"to another one":  {func(_ *JoinCode, r *JoinRequest, _ *JoinFile) { r.Token = "u" }, "another request"},
		"of another site": {func(c *JoinCode, _ *JoinRequest, _ *JoinFile) { c.Site = "elm" }, "incomplete"},
	} {
		code, in, f := answered(t)
		c.spoil(&code, in, f)
		if err := f.Check(code, in); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	_, _, f := answered(t)
	if _, _, _, err := f.Entries(); !errors.Is(err, ErrSequence) {
		t.Errorf("a file without a register: %v", err)
	}
}

func FuzzJoinFile(f *testing.F) {
	code, in, good := answered(f)
	text, err := json.Marshal(good)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"hub":"AAAA","people":[null],"register":["tillprint batch v1\nafter 0\n\n"]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := ParseJoinFile(b)
		if err != nil {
			return
		}
		if got.Check(code, in) == nil && string(got.Request) != string(in.Asked()) {
			t.Error("an answer to another request is taken")
		}
		_, _, _, _ = got.Entries() // must not panic
	})
}
