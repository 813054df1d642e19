package register

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
)

// Header names of a signed request and of every answer.
const (
	HeaderSite      = "Tillprint-Site"
	HeaderTerminal  = "Tillprint-Terminal"
	HeaderNonce     = "Tillprint-Nonce"
	HeaderSignature = "Tillprint-Signature"
)

// SignRequest signs a request of a terminal: over the site, the terminal, method, path, query, the hub's nonce and the
// SHA-256 of the body. A proxy that opens TLS can read the request but can neither change nor repeat it.
func SignRequest(r *http.Request, body []byte, site, terminal, nonce string, key ed25519.PrivateKey) {
	r.Header.Set(HeaderSite, site)
	r.Header.Set(HeaderTerminal, terminal)
	r.Header.Set(HeaderNonce, nonce)
	signature := ed25519.Sign(key, requestText(r, body, site, terminal, nonce))
	r.Header.Set(HeaderSignature, base64.StdEncoding.EncodeToString(signature))
}

// VerifyRequest checks the signature of a request whose body has been read. The caller has found the terminal's key by
// the headers Tillprint-Site and Tillprint-Terminal, a terminal's name being unique within its site only, and afterwards checks and uses up the nonce in the header Tillprint-Nonce.
func VerifyRequest(r *http.Request, body []byte, site string, key ed25519.PublicKey) error {
	signature, err := base64.StdEncoding.Strict().DecodeString(r.Header.Get(HeaderSignature))
	if err != nil || len(key) != ed25519.PublicKeySize {
		return fmt.Errorf("%w: a request to %s", ErrUnsigned, r.URL.Path)
	}
	text := requestText(r, body, site, r.Header.Get(HeaderTerminal), r.Header.Get(HeaderNonce))
	if !ed25519.Verify(key, text, signature) {
		return fmt.Errorf("%w: a request to %s", ErrUnsigned, r.URL.Path)
	}
	return nil
}

// requestText is what is signed. Each line is a value that holds no line end: HTTP allows none in any of them.
func requestText(r *http.Request, body []byte, site, terminal, nonce string) []byte {
	return fmt.Appendf(nil, "tillprint request v1\n%s\n%s\n%s\n%s\n%s\n%s\n%x\n",
		site, terminal, r.Method, r.URL.EscapedPath(), r.URL.RawQuery, nonce, sha256.Sum256(body))
}
