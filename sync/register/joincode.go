package register

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// JoinCode is what a technician carries from the hub to a new terminal, as one printable line:
//
//	tillprint-join:v1?hub=https%3A%2F%2Fhub.oakfield.lan%3A8443&name=till-1&pin=...&site=oakfield&token=...&sum=...
//
// The token is good once and for a short time. The pin lets the terminal know the hub without a clock and without a
// certificate authority.
type JoinCode struct {
	Site  string
	Name  string            // the terminal's name as the office wrote it, for people and labels; "" in a code of before
	Hubs  []string          // 1 to 4 base URLs, https, in the order to try
	Pin   [sha256.Size]byte // SHA-256 of the hub's TLS public key (SubjectPublicKeyInfo, DER)
	Token string            // see NewToken
}

const (
	joinScheme  = "tillprint-join"
	maxJoinCode = 2048
	tokenBytes  = 20
)

// NewToken draws a one-time token of 160 bits. The hub stores only its hash.
func NewToken(rand io.Reader) (string, error) {
	b := make([]byte, tokenBytes)
	if _, err := io.ReadFull(rand, b); err != nil {
		return "", fmt.Errorf("drawing a join token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// String writes the code. It ends with a checksum, so that a slip in copying is told from a token that has run out.
func (c JoinCode) String() string {
	q := url.Values{"site": {c.Site}, "hub": c.Hubs, "token": {c.Token},
		"pin": {base64.RawURLEncoding.EncodeToString(c.Pin[:])}}
	if c.Name != "" {
		q.Set("name", c.Name)
	}
	text := joinScheme + ":v1?" + q.Encode()
	return text + "&sum=" + joinSum(text)
}

func joinSum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:6])
}

// Fingerprint tells one code from another without giving it away, on a terminal's label and in the hub's record: the
// first 8 bytes, in hexadecimal, of the token's SHA-256. The token's 160 bits cannot be found from it.
func (c JoinCode) Fingerprint() string {
	sum := sha256.Sum256([]byte(c.Token))
	return hex.EncodeToString(sum[:8])
}

// ParseJoinCode reads a code as it was printed; white space around and within it, as a mail program may put there, is ignored.
func ParseJoinCode(s string) (JoinCode, error) {
	if len(s) > maxJoinCode {
		return JoinCode{}, errors.New("this is too long to be a join code: copy only the line that begins with tillprint-join")
	}
	s = strings.Join(strings.Fields(s), "")
	if !strings.HasPrefix(s, joinScheme+":") {
		return JoinCode{}, errors.New("this is no join code: copy the whole line that begins with tillprint-join from the hub's page")
	}
	if !strings.HasPrefix(s, joinScheme+":v1?") {
		return JoinCode{}, errors.New("this join code is of another version: bring hub and terminal to the same release")
	}
	text, sum, ok := strings.Cut(s, "&sum=")
	if !ok || joinSum(text) != sum {
		return JoinCode{}, errors.New("the join code is incomplete or was changed in copying: copy it again from the hub's page")
	}
	q, err := url.ParseQuery(strings.TrimPrefix(text, joinScheme+":v1?"))
	if err != nil {
		return JoinCode{}, errors.New("the join code cannot be read: make a new one at the hub")
	}
	c := JoinCode{Site: q.Get("site"), Name: q.Get("name"), Hubs: q["hub"], Token: q.Get("token")}
	pin, err := base64.RawURLEncoding.Strict().DecodeString(q.Get("pin"))
	if err != nil || len(pin) != len(c.Pin) {
		return JoinCode{}, errors.New("the join code does not name the hub's key: make a new one at the hub")
	}
	copy(c.Pin[:], pin)
	return c, c.Validate()
}

// Validate says in plain words what is missing from a code.
func (c JoinCode) Validate() error {
	if !ValidName(c.Site) {
		return fmt.Errorf("the join code names the site %.40q: a site name has 1 to 32 characters a-z, 0-9 and -", c.Site)
	}
	if c.Name != "" && (!ValidName(c.Name) || c.Name == Hub) {
		return fmt.Errorf("the join code is for the terminal %.40q: a terminal's name has 1 to 32 characters a-z, 0-9 and -", c.Name)
	}
	if b, err := base64.RawURLEncoding.Strict().DecodeString(c.Token); err != nil || len(b) != tokenBytes {
		return errors.New("the join code has no token: make a new one at the hub")
	}
	if len(c.Hubs) < 1 || len(c.Hubs) > 4 {
		return fmt.Errorf("the join code names %d addresses of the hub: it should name 1 to 4", len(c.Hubs))
	}
	for _, h := range c.Hubs {
		if u, err := url.Parse(h); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return fmt.Errorf("the join code names the address %.80q: it should be like https://hub.school.lan:8443", h)
		}
	}
	return nil
}
