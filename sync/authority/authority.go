package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"time"
)

// life is long because whoever trusts the authority has imported it by hand.
const life = 20 * 365 * 24 * time.Hour

// early is how long before now a certificate begins: a browser's clock may be slow.
const early = time.Hour

// Authority signs for one site.
type Authority struct {
	Certificate *x509.Certificate
	site        string
	key         *ecdsa.PrivateKey
}

// New makes a site's authority. Its key is P-256, because browsers do not take Ed25519.
func New(site string, now time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the authority of site %s: %w", site, err)
	}
	c := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "Tillprint tills of " + site, Organization: []string{site}},
		NotBefore:             now.Add(-2 * early), // before the first that it signs
		NotAfter:              now.Add(life),
		KeyUsage:              x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: privateSuffixes, PermittedIPRanges: privateRanges,
	}
	a := &Authority{Certificate: c, site: site, key: key}
	if a.Certificate, err = a.sign(c, &key.PublicKey); err != nil {
		return nil, fmt.Errorf("making the authority of site %s: %w", site, err)
	}
	return a, nil
}

// Open opens an authority that was kept as its key and its certificate.
func Open(site string, key, certificate []byte) (*Authority, error) {
	k, err := x509.ParsePKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("the key of site %s's authority: %w", site, err)
	}
	signer, ok := k.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("the key of site %s's authority is of another kind than P-256", site)
	}
	c, err := x509.ParseCertificate(certificate)
	if err != nil {
		return nil, fmt.Errorf("the certificate of site %s's authority: %w", site, err)
	}
	if !signer.PublicKey.Equal(c.PublicKey) {
		return nil, fmt.Errorf("the key of site %s's authority does not fit its certificate", site)
	}
	return &Authority{Certificate: c, site: site, key: signer}, nil
}

// Key is the authority's key, to be kept where nobody else reads it. The caller clears it.
func (a *Authority) Key() ([]byte, error) { return x509.MarshalPKCS8PrivateKey(a.key) }

// sign completes a certificate and signs it.
func (a *Authority) sign(c *x509.Certificate, public any) (*x509.Certificate, error) {
	serial := make([]byte, 16)
	if _, err := io.ReadFull(rand.Reader, serial); err != nil {
		return nil, fmt.Errorf("drawing a serial number: %w", err)
	}
	c.SerialNumber = new(big.Int).SetBytes(serial)
	der, err := x509.CreateCertificate(rand.Reader, c, a.Certificate, public, a.key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
