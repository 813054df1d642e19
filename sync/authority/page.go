package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"time"
)

// pageLife is below the 825 days after which some browsers take no certificate. A terminal renews it when half is over.
const pageLife = 400 * 24 * time.Hour

// MaxHosts is for how many names and addresses one page can be certified.
const MaxHosts = 16

// ErrRequest says what is wrong with a request for a certificate.
var ErrRequest = errors.New("the request for a page's certificate is not accepted")

// NewPage draws a key for a terminal's page and asks for its certificate. The key is PKCS #8; the caller clears it.
func NewPage(hosts []string) (key, request []byte, err error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("making the page's key: %w", err)
	}
	r := &x509.CertificateRequest{}
	r.DNSNames, r.IPAddresses = split(hosts)
	if request, err = x509.CreateCertificateRequest(rand.Reader, r, k); err != nil {
		return nil, nil, fmt.Errorf("asking for the page's certificate: %w", err)
	}
	if key, err = x509.MarshalPKCS8PrivateKey(k); err != nil {
		return nil, nil, fmt.Errorf("making the page's key: %w", err)
	}
	return key, request, nil
}

func split(hosts []string) (names []string, addresses []net.IP) {
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			addresses = append(addresses, ip)
		} else {
			names = append(names, h)
		}
	}
	return names, addresses
}

// Hosts are the names and addresses that a page's certificate is for.
func Hosts(c *x509.Certificate) (hosts []string) {
	hosts = append(hosts, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		hosts = append(hosts, ip.String())
	}
	return hosts
}

// Page signs what a terminal has asked for. Of the request only its key and hosts are used.
func (a *Authority) Page(terminal string, request []byte, now time.Time) (*x509.Certificate, error) {
	r, err := x509.ParseCertificateRequest(request)
	if err != nil {
		return nil, fmt.Errorf("%w: it cannot be read", ErrRequest)
	}
	key, ok := r.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() || r.CheckSignature() != nil {
		return nil, fmt.Errorf("%w: it is not signed with a P-256 key of its own", ErrRequest)
	}
	c := &x509.Certificate{
		Subject:               pkix.Name{CommonName: terminal, Organization: []string{a.site}},
		NotBefore:             now.Add(-early),
		NotAfter:              now.Add(pageLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		DNSNames:              r.DNSNames, IPAddresses: r.IPAddresses,
	}
	hosts := Hosts(c)
	if len(hosts) == 0 || len(hosts) > MaxHosts {
		return nil, fmt.Errorf("%w: it is for %d names and addresses; 1 to %d can be", ErrRequest, len(hosts), MaxHosts)
	}
	for _, h := range hosts {
		if !Private(h) {
			return nil, fmt.Errorf("%w: %.80q is no private address and no name under .local, .lan, .internal or .home.arpa", ErrRequest, h)
		}
	}
	return a.sign(c, key)
}
