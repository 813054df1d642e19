package hub

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/tillprint/tillprint/store/durable"
	"github.com/tillprint/tillprint/sync/authority"
	"github.com/tillprint/tillprint/sync/register"
)

// A terminal's page and the till's browsers get their certificates, of their own site only, and a revoked one is told to the terminal.
func TestCertificatesOfTheTills(t *testing.T) {
	h, c := newHub(t)
	if err := h.AddSite(t.Context(), Site{ID: "elm", Name: "Elm", Profile: permitting}); err != nil {
		t.Fatal(err)
	}
	s := serve(t, h.Handler(), h)
	x, other := joined(t, h, s, "oakfield", "till-1"), joined(t, h, s, "elm", "till-1")
	var plain, elsewhere register.PageAnswer
	x.ask("POST", "/v1/page", register.PageRequest{}, &plain)
	other.ask("POST", "/v1/page", register.PageRequest{}, &elsewhere)
	root, err := h.Authority(t.Context(), "oakfield")
	if err != nil || !bytes.Equal(root.Raw, plain.Authority) || bytes.Equal(plain.Authority, elsewhere.Authority) || plain.Certificate != nil {
		t.Fatalf("the authorities: %v", err)
	}

	_, request, err := authority.NewPage([]string{"10.1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	var answer register.PageAnswer
	x.ask("POST", "/v1/page", register.PageRequest{Request: request}, &answer)
	page, err := x509.ParseCertificate(answer.Certificate)
	if err != nil || page.CheckSignatureFrom(root) != nil || page.Subject.CommonName != "till-1" || page.Subject.Organization[0] != "oakfield" {
		t.Fatalf("the page's certificate: %v", err)
	}
	_, outside, err := authority.NewPage([]string{"bank.example"})
	if err != nil {
		t.Fatal(err)
	}
	wish, err := json.Marshal(register.PageRequest{Request: outside})
	if err != nil {
		t.Fatal(err)
	}
	if status, body := x.raw("POST", "/v1/page", wish, true); status != http.StatusBadRequest || !bytes.Contains(body, []byte("no private address")) {
		t.Errorf("a name outside: %d %s", status, body)
	}

	in, err := h.AdmitBrowser(t.Context(), "oakfield", "office", "kitchen-pc", false, false)
	if err != nil {
		t.Fatal(err)
	}
	_, own, more, err := pkcs12.DecodeChain(in.File, in.Password)
	if err != nil || len(more) != 1 || !more[0].Equal(root) {
		t.Fatalf("the file: %v", err)
	}
	if who, err := authority.Check(own, root, "oakfield", nil, start); err != nil || who != (authority.Browser{Name: "kitchen-pc"}) {
		t.Errorf("%v, %v", who, err)
	}
	if _, err := h.AdmitBrowser(t.Context(), "oakfield", "office", "kitchen-pc", true, false); !errors.Is(err, ErrInvalid) {
		t.Errorf("a name that is in use: %v", err)
	}
	if _, err := h.AdmitBrowser(t.Context(), "oakfield", "office", "Mrs Smith", false, false); !errors.Is(err, ErrInvalid) {
		t.Errorf("a person's name: %v", err)
	}
	if err := h.RevokeBrowser(t.Context(), "elm", "office", "kitchen-pc"); !errors.Is(err, ErrNotFound) {
		t.Errorf("another site's: %v", err)
	}
	if err := h.RevokeBrowser(t.Context(), "oakfield", "office", "kitchen-pc"); err != nil {
		t.Fatal(err)
	}
	x.ask("POST", "/v1/page", register.PageRequest{}, &plain)
	if !slices.Equal(plain.Revoked, []string{authority.Serial(own)}) {
		t.Errorf("revoked: %q", plain.Revoked)
	}
	again, err := h.AdmitBrowser(t.Context(), "oakfield", "office", "kitchen-pc", true, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, own, _, err = pkcs12.DecodeChain(again.File, again.Password); err != nil {
		t.Fatal(err)
	}
	if who, err := authority.Check(own, root, "oakfield", plain.Revoked, start); err != nil || !who.Technician {
		t.Errorf("its successor: %v, %v", who, err)
	}
	all, err := h.TillBrowsers(t.Context(), "oakfield")
	if err != nil || len(all) != 2 || all[0].Role == all[1].Role || all[0].Revoked.IsZero() == all[1].Revoked.IsZero() {
		t.Errorf("listed: %+v %v", all, err)
	}
	c.move(2 * 365 * 24 * time.Hour)
	plain = register.PageAnswer{}
	if x.ask("POST", "/v1/page", register.PageRequest{}, &plain); len(plain.Revoked) > 0 {
		t.Errorf("what has ended by itself is still told: %q", plain.Revoked)
	}
}

// A database without the key file that it was made beside signs nothing, and says why.
func TestAnAuthorityNeedsItsKeyFile(t *testing.T) {
	h, c := newHub(t)
	if _, err := h.Authority(t.Context(), "oakfield"); err != nil {
		t.Fatal(err)
	}
	if err := durable.Replace(filepath.Join(h.config.Dir, pepperKeyFile), make([]byte, 32)); err != nil {
		t.Fatal(err)
	}
	again := openHub(t, h.config.Dir, c)
	if _, err := again.Authority(t.Context(), "oakfield"); err == nil {
		t.Error("opened under another key")
	}
}
