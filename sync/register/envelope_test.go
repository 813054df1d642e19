package register

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tillprint/tillprint/consent"
)

func key(seed byte) ed25519.PrivateKey              { return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, 32)) }
func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

func sealed(t testing.TB) (*Envelope, Label, []byte) {
	t.Helper()
	secret, pub, err := NewSealKey()
	if err != nil {
		t.Fatal(err)
	}
	l := Label{Purpose: PurposeTemplate, Site: "oakfield", From: "t1", To: "t2", Subject: id(1), Finger: 2, Revision: 7}
	e, err := Seal(l, []byte("a template"), pub, key(1))
	if err != nil {
		t.Fatal(err)
	}
	return e, l, secret
}

func TestEnvelope(t *testing.T) {
	e, l, secret := sealed(t)
	b, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if e, err = ParseEnvelope(b); err != nil {
		t.Fatal(err)
	}
	plain, err := e.Open(l, secret, public(key(1)))
	if err != nil || string(plain) != "a template" {
		t.Fatalf("got %q, %v", plain, err)
	}
}

// TestI4EnvelopesAreBound: no field of the label can be exchanged, nobody else can open or sign.
func TestI4EnvelopesAreBound(t *testing.T) {
	e, l, secret := sealed(t)
	stranger, _, err := NewSealKey()
	if err != nil {
		t.Fatal(err)
	}
	change := func(f func(*Envelope)) *Envelope {
		c := *e
		c.Sealed, c.Sig = bytes.Clone(e.Sealed), bytes.Clone(e.Sig)
		f(&c)
		return &c
	}
	resigned := func(f func(*Envelope)) *Envelope { // even the true sender cannot move a sealed template to another label
		c := change(f)
		c.Sig = ed25519.Sign(key(1), c.signed())
		return c
	}
	tests := map[string]struct {
		e      *Envelope
		want   Label
		secret []byte
		sender ed25519.PublicKey
		err    error
	}{
		"another sender's key": {e, l, secret, public(key(2)), ErrUnsigned},
		"another recipient":    {e, l, stranger, public(key(1)), ErrSealed},
		"subject exchanged":    {change(func(e *Envelope) { e.Subject = id(2) }), l, secret, public(key(1)), ErrUnsigned},
		"subject re-signed":    {resigned(func(e *Envelope) { e.Subject = id(2) }), l, secret, public(key(1)), ErrSealed},
		"finger re-signed":     {resigned(func(e *Envelope) { e.Finger = 3 }), l, secret, public(key(1)), ErrSealed},
		"revision re-signed":   {resigned(func(e *Envelope) { e.Revision++ }), l, secret, public(key(1)), ErrSealed},
		"site re-signed":       {resigned(func(e *Envelope) { e.Site = "elmwood" }), l, secret, public(key(1)), ErrSealed},
		"a byte flipped":       {change(func(e *Envelope) { e.Sealed[1130] ^= 1 }), l, secret, public(key(1)), ErrUnsigned},
		"flipped, re-signed":   {resigned(func(e *Envelope) { e.Sealed[1130] ^= 1 }), l, secret, public(key(1)), ErrSealed},
		"key flipped":          {resigned(func(e *Envelope) { e.Sealed[3] ^= 1 }), l, secret, public(key(1)), ErrSealed},
		"not for us":           {e, Label{Purpose: PurposeTemplate, Site: "oakfield", From: "t1", To: "t3"}, secret, public(key(1)), ErrSealed},
		"another purpose":      {e, Label{Purpose: PurposePerson, Site: "oakfield", From: "t1", To: "t2"}, secret, public(key(1)), ErrSealed},
	}
	for name, tt := range tests {
		if plain, err := tt.e.Open(tt.want, tt.secret, tt.sender); !errors.Is(err, tt.err) {
			t.Errorf("%s: got %q, %v, want %v", name, plain, err, tt.err)
		}
	}
}

func TestEnvelopeLabels(t *testing.T) {
	good := Label{Purpose: PurposePerson, Site: "oakfield", From: Hub, To: "t1", Subject: id(1)}
	if err := good.check(); err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]Label{
		"template from the hub":  {Purpose: PurposeTemplate, Site: "oakfield", From: Hub, To: "t1", Subject: id(1)},
		"person from a terminal": {Purpose: PurposePerson, Site: "oakfield", From: "t2", To: "t1", Subject: id(1)},
		"to itself":              {Purpose: PurposeTemplate, Site: "oakfield", From: "t1", To: "t1", Subject: id(1)},
		"to the hub":             {Purpose: PurposeTemplate, Site: "oakfield", From: "t1", To: Hub, Subject: id(1)},
		"nobody's template":      {Purpose: PurposeTemplate, Site: "oakfield", From: "t1", To: "t2"},
		"eleventh finger":        {Purpose: PurposeTemplate, Site: "oakfield", From: "t1", To: "t2", Subject: id(1), Finger: 11},
		"somebody's pepper":      {Purpose: PurposePepper, Site: "oakfield", From: Hub, To: "t1", Subject: id(1)},
		"no purpose":             {Site: "oakfield", From: Hub, To: "t1", Subject: id(1)},
	} {
		if err := l.check(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestRequestSignature(t *testing.T) {
	body := []byte(`{"reports":[]}`)
	make := func() *http.Request {
		r := httptest.NewRequest("POST", "/v1/reports?a=1", nil)
		SignRequest(r, body, "oakfield", "t1", "nonce-1", key(1))
		return r
	}
	if err := VerifyRequest(make(), body, "oakfield", public(key(1))); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*http.Request){
		"method":    func(r *http.Request) { r.Method = "PUT" },
		"path":      func(r *http.Request) { r.URL.Path = "/v1/status" },
		"query":     func(r *http.Request) { r.URL.RawQuery = "a=2" },
		"terminal":  func(r *http.Request) { r.Header.Set(HeaderTerminal, "t2") },
		"nonce":     func(r *http.Request) { r.Header.Set(HeaderNonce, "nonce-2") },
		"signature": func(r *http.Request) { r.Header.Set(HeaderSignature, "AAAA") },
		"unsigned":  func(r *http.Request) { r.Header.Del(HeaderSignature) },
	} {
		r := make()
		change(r)
		if err := VerifyRequest(r, body, "oakfield", public(key(1))); !errors.Is(err, ErrUnsigned) {
			t.Errorf("%s changed: got %v", name, err)
		}
	}
	if VerifyRequest(make(), []byte("x"), "oakfield", public(key(1))) == nil || VerifyRequest(make(), body, "elmwood", public(key(1))) == nil ||
		VerifyRequest(make(), body, "oakfield", nil) == nil {
		t.Error("another body, another site or no key is accepted")
	}
}

func joinCode(t testing.TB) JoinCode {
	token, err := NewToken(strings.NewReader(strings.Repeat("x", 20)))
	if err != nil {
		t.Fatal(err)
	}
	return JoinCode{Site: "oakfield", Name: "till-1", Hubs: []string{"https://hub.oakfield.lan:8443", "https://10.1.2.3:8443"}, Pin: [32]byte{1, 2, 3}, Token: token}
}

func TestJoinCode(t *testing.T) {
	c := joinCode(t)
	text := c.String()
	for _, s := range []string{text, " " + text + "\r\n", text[:40] + "\n  " + text[40:]} {
		if got, err := ParseJoinCode(s); err != nil || !cmp.Equal(got, c) {
			t.Errorf("%q: got %+v, %v", s, got, err)
		}
	}
	for i := range text {
		flipped := text[:i] + string(text[i]^1) + text[i+1:]
		if got, err := ParseJoinCode(flipped); err == nil {
			t.Fatalf("a slip at byte %d goes unnoticed: %+v", i, got)
		}
		if _, err := ParseJoinCode(text[:i]); err == nil {
			t.Fatalf("accepted when cut to %d bytes", i)
		}
	}
	for name, bad := range map[string]JoinCode{
		"plain http": {Site: c.Site, Hubs: []string{"http://hub"}, Token: c.Token},
		"hub's name": {Site: c.Site, Name: Hub, Hubs: c.Hubs, Token: c.Token},
		"no hub":     {Site: c.Site, Token: c.Token},
		"no token":   {Site: c.Site, Hubs: c.Hubs},
		"no site":    {Hubs: c.Hubs, Token: c.Token},
	} {
		if _, err := ParseJoinCode(bad.String()); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// The fingerprint is printed on labels: it must hold nothing of the token.
func TestJoinCodeFingerprint(t *testing.T) {
	c := joinCode(t)
	one := c.Fingerprint()
	if len(one) != 16 || strings.Contains(c.String(), one) {
		t.Errorf("got %q of %s", one, c)
	}
	if c.Token = c.Token[1:] + "A"; c.Fingerprint() == one {
		t.Error("two codes have one fingerprint")
	}
}

func TestJoinRequest(t *testing.T) {
	_, seal, err := NewSealKey()
	if err != nil {
		t.Fatal(err)
	}
	r := JoinRequest{Site: "oakfield", Token: "token", Sign: public(key(1)), Seal: seal}
	r.ProveJoin(key(1))
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	r.Name = "t9"
	if err := r.Check(); !errors.Is(err, ErrUnsigned) {
		t.Errorf("a changed request: got %v", err)
	}
}

func TestPersonErrorsHoldNothingPersonal(t *testing.T) {
	p := Person{Name: "Ada Lovelace", Form: "7B", Class: consent.Pupil}
	b, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParsePerson(b)
	if err != nil || !cmp.Equal(*back, p) {
		t.Fatalf("got %+v, %v", back, err)
	}
	for _, s := range []string{`{"name":"Ada Lovelace","x":1}`, `{"name":1,"form":"Ada Lovelace"}`, `{"name":"Ada Lovelace","class":"Ada Lovelace"}`} {
		if _, err := ParsePerson([]byte(s)); err == nil || strings.Contains(err.Error(), "Ada") {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func FuzzParseEnvelope(f *testing.F) {
	e, l, secret := sealed(f)
	b, err := e.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"purpose":"pepper","site":"a","from":"hub","to":"t1","sealed":"","signature":""}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ParseEnvelope(data)
		if err != nil {
			return
		}
		if _, err := got.Open(l, secret, public(key(1))); err == nil && !cmp.Equal(got, e) {
			t.Fatal("an envelope opens that was never sealed")
		}
	})
}

func FuzzParseJoinCode(f *testing.F) {
	f.Add(joinCode(f).String())
	f.Add("tillprint-join:v1?site=a&sum=")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseJoinCode(s)
		if err != nil {
			return
		}
		if back, err := ParseJoinCode(c.String()); err != nil || !cmp.Equal(back, c) {
			t.Fatalf("read back as %+v, %v", back, err)
		}
	})
}
