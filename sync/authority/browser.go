package authority

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Roles as they stand in a browser's certificate.
const (
	staff      = "staff"
	technician = "technician"
)

// leastTerm is how much of a school year must be left for a certificate to end with it, and not with the next.
const leastTerm = 90 * 24 * time.Hour

// Browser is who works a till over the network: a machine's name, never a person's.
type Browser struct {
	Name       string
	Technician bool
}

// Role is the browser's role in a word.
func (b Browser) Role() string {
	if b.Technician {
		return technician
	}
	return staff
}

// Serial is how a certificate is named in a list of those that are revoked.
func Serial(c *x509.Certificate) string { return c.SerialNumber.Text(16) }

// Browser signs a browser's certificate, until the school year ends.
func (a *Authority) Browser(b Browser, public any, now time.Time) (*x509.Certificate, error) {
	return a.sign(&x509.Certificate{
		Subject:               pkix.Name{CommonName: b.Name, Organization: []string{a.site}, OrganizationalUnit: []string{b.Role()}},
		NotBefore:             now.Add(-early),
		NotAfter:              yearEnd(now),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}, public)
}

// yearEnd is the end of September after the school year: time to hand out the next certificates.
func yearEnd(now time.Time) time.Time {
	end := time.Date(now.Year(), time.October, 1, 0, 0, 0, 0, time.UTC)
	for end.Sub(now) < leastTerm {
		end = end.AddDate(1, 0, 0)
	}
	return end
}

// Of reads who a browser's certificate is for. It does not judge the certificate: see Check.
func Of(c *x509.Certificate) (Browser, bool) {
	b := Browser{Name: c.Subject.CommonName}
	switch {
	case slices.Equal(c.Subject.OrganizationalUnit, []string{technician}):
		b.Technician = true
	case !slices.Equal(c.Subject.OrganizationalUnit, []string{staff}):
		return Browser{}, false
	}
	return b, b.Name != ""
}

// Errors of Check. They are the certificate's; the browser learns only that it was not let in.
var (
	ErrForeign = errors.New("the browser's certificate is not of this school's tills")
	ErrRevoked = errors.New("the browser's certificate has been revoked")
	ErrExpired = errors.New("the browser's certificate has expired")
)

// Check says who a browser is. certain is a time that has passed for certain, or zero on a terminal that knows none: a clock that
// runs wrong must lock no till out, so a certificate has expired only when that time has, and it has begun because it exists.
func Check(c, authority *x509.Certificate, site string, revoked []string, certain time.Time) (Browser, error) {
	roots := x509.NewCertPool()
	roots.AddCert(authority)
	begun := c.NotBefore.Add(time.Second)
	if _, err := c.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: begun, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		return Browser{}, fmt.Errorf("%w: %w", ErrForeign, err)
	}
	b, ok := Of(c)
	switch {
	case !ok || !slices.Equal(c.Subject.Organization, []string{site}):
		return Browser{}, fmt.Errorf("%w: it names no browser of %s", ErrForeign, site)
	case slices.Contains(revoked, Serial(c)):
		return Browser{}, fmt.Errorf("%w: %s", ErrRevoked, b.Name)
	case certain.After(c.NotAfter):
		return Browser{}, fmt.Errorf("%w: %s, on %s", ErrExpired, b.Name, c.NotAfter.Format(time.DateOnly))
	}
	return b, nil
}
