package register

import "fmt"

// PageRequest asks for what a terminal's page on the school's network needs. The answer is trusted because the connection is to
// the hub's pinned key.
type PageRequest struct {
	Request []byte `json:"request,omitempty"` // PKCS #10, when the page needs a certificate: its key, names and addresses
}

// PageAnswer says whom the page may believe, and with what it proves itself. All certificates are X.509.
type PageAnswer struct {
	Authority   []byte   `json:"authority"`             // of the site
	Certificate []byte   `json:"certificate,omitempty"` // when one was asked for
	Revoked     []string `json:"revoked,omitempty"`     // serial numbers of browsers' certificates, in hexadecimal
}

// MaxBrowsers is how many certificates of browsers a site may have at a time, those revoked among them.
const MaxBrowsers = 500

// Check says whether an answer is within its bounds. The certificates are the reader's to judge.
func (a *PageAnswer) Check() error {
	bad := len(a.Revoked) > MaxBrowsers
	for _, serial := range a.Revoked {
		bad = bad || len(serial) > 40
	}
	if bad {
		return fmt.Errorf("%w: the hub's answer about the page is out of bounds", ErrMalformed)
	}
	return nil
}
