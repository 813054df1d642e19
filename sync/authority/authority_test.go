package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

var day = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func newAuthority(t *testing.T, site string) *Authority {
	t.Helper()
	a, err := New(site, day)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (a *Authority) browser(t *testing.T, b Browser) *x509.Certificate {
	t.Helper()
	c, err := a.Browser(b, &newKey(t).PublicKey, day)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (a *Authority) page(t *testing.T, hosts ...string) *x509.Certificate {
	t.Helper()
	_, request, err := NewPage(hosts)
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.Page("till-1", request, day)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWhoIsLetIn(t *testing.T) {
	ours, theirs := newAuthority(t, "oakfield"), newAuthority(t, "elm")
	kitchen, tech := Browser{Name: "kitchen-pc"}, Browser{Name: "it-desk", Technician: true}
	good, gone := ours.browser(t, kitchen), ours.browser(t, kitchen)
	wrongUse, err := ours.sign(&x509.Certificate{Subject: good.Subject, NotBefore: good.NotBefore, NotAfter: good.NotAfter,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, &newKey(t).PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	far := newAuthority(t, "oakfield") // the same words under another key
	for _, c := range []struct {
		name    string
		of      *x509.Certificate
		certain time.Time
		who     Browser
		err     error
	}{
		{"a browser", good, day, kitchen, nil},
		{"a technician's", ours.browser(t, tech), day, tech, nil},
		{"a clock that knows no time", good, time.Time{}, kitchen, nil},
		{"a clock that lags", good, day.AddDate(-50, 0, 0), kitchen, nil},
		{"on its last day", good, good.NotAfter, kitchen, nil},
		{"expired", good, good.NotAfter.Add(time.Second), Browser{}, ErrExpired},
		{"revoked", gone, day, Browser{}, ErrRevoked},
		{"another site", theirs.browser(t, kitchen), day, Browser{}, ErrForeign},
		{"another authority", far.browser(t, kitchen), day, Browser{}, ErrForeign},
		{"a page's certificate", ours.page(t, "till-1.lan"), day, Browser{}, ErrForeign},
		{"a page's with a browser's name", wrongUse, day, Browser{}, ErrForeign},
		{"the authority's own", ours.Certificate, day, Browser{}, ErrForeign},
	} {
		who, err := Check(c.of, ours.Certificate, "oakfield", []string{"1", Serial(gone)}, c.certain)
		if who != c.who || !errors.Is(err, c.err) {
			t.Errorf("%s: %v, %v", c.name, who, err)
		}
	}
	if _, err := Check(good, ours.Certificate, "elm", nil, day); !errors.Is(err, ErrForeign) {
		t.Errorf("at another site's terminal: %v", err)
	}
}

func TestPage(t *testing.T) {
	a := newAuthority(t, "oakfield")
	c := a.page(t, "till-1.oakfield.lan", "10.1.2.3", "fd00::7")
	if got := Hosts(c); !slices.Equal(got, []string{"till-1.oakfield.lan", "10.1.2.3", "fd00::7"}) {
		t.Errorf("for %q", got)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.Certificate)
	for _, host := range []string{"till-1.oakfield.lan", "10.1.2.3", "fd00::7"} {
		if _, err := c.Verify(x509.VerifyOptions{Roots: roots, DNSName: host, CurrentTime: day}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	for _, bad := range []string{"till-1", "bank.example", "8.8.8.8", "2001:4860::8", "*.lan", "Till.lan", "till..lan", ".lan", "till.lan.", "a_b.lan", "lan", "xlan", strings.Repeat("a.", 130) + "lan"} {
		_, request, err := NewPage([]string{bad})
		if err != nil {
			continue // such a request cannot even be written
		}
		if _, err := a.Page("till-1", request, day); !errors.Is(err, ErrRequest) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	var many []string
	for i := range MaxHosts + 1 {
		many = append(many, fmt.Sprintf("10.0.0.%d", i))
	}
	for _, hosts := range [][]string{nil, many} {
		_, request, err := NewPage(hosts)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Page("till-1", request, day); !errors.Is(err, ErrRequest) {
			t.Errorf("%d hosts: %v", len(hosts), err)
		}
		request[len(request)-1] ^= 1
		if _, err := a.Page("till-1", request, day); !errors.Is(err, ErrRequest) {
			t.Errorf("a request that is not signed: %v", err)
		}
	}
}

// Whoever steals the authority's key can still not pass for a bank to browsers that trust it.
func TestConstrained(t *testing.T) {
	a := newAuthority(t, "oakfield")
	roots := x509.NewCertPool()
	roots.AddCert(a.Certificate)
	for _, hosts := range [][]string{{"bank.example"}, {"8.8.8.8"}, {"2001:4860::8"}} {
		template := &x509.Certificate{NotBefore: day, NotAfter: day.AddDate(1, 0, 0), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
		template.DNSNames, template.IPAddresses = split(hosts)
		c, err := a.sign(template, &newKey(t).PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Verify(x509.VerifyOptions{Roots: roots, DNSName: hosts[0], CurrentTime: day.Add(time.Hour)}); err == nil {
			t.Errorf("believed about %s", hosts[0])
		}
	}
}

func TestSchoolYear(t *testing.T) {
	for now, want := range map[string]string{"2026-09-01": "2027-10-01", "2026-11-29": "2027-10-01", "2027-07-01": "2027-10-01", "2027-07-20": "2028-10-01"} {
		at, err := time.Parse(time.DateOnly, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := yearEnd(at).Format(time.DateOnly); got != want {
			t.Errorf("issued on %s, it ends on %s, want %s", now, got, want)
		}
	}
}

func TestKept(t *testing.T) {
	a, b := newAuthority(t, "oakfield"), newAuthority(t, "oakfield")
	key, err := a.Key()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Open("oakfield", key, a.Certificate.Raw)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Check(again.browser(t, Browser{Name: "x"}), a.Certificate, "oakfield", nil, day); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string][2][]byte{"another certificate": {key, b.Certificate.Raw}, "no key": {nil, a.Certificate.Raw}, "no certificate": {key, nil}} {
		if _, err := Open("oakfield", bad[0], bad[1]); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}
