package terminal

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/tillprint/tillprint/sync/register"
)

// ErrImpostor says that whatever answers at the hub's address does not hold the hub's key.
var ErrImpostor = errors.New("the machine at the hub's address is not the hub that this terminal joined")

// ErrJoinRefused says that the hub does not know the join code, or that it was used or is out of date: asking again with
// it is of no use.
var ErrJoinRefused = errors.New("the hub refuses the join code")

// failure is an answer of the hub that says no.
type failure struct {
	status int
	after  time.Duration // Retry-After, 0 if none
	register.Failure
}

func (f *failure) Error() string {
	return fmt.Sprintf("the hub answers %d %s: %s", f.status, f.Code, f.Detail)
}

// Is lets errors.Is find a refused join code.
func (f *failure) Is(target error) bool {
	return target == ErrJoinRefused && f.Code == register.CodeToken
}

// refusedWith reports whether the hub refused with the given code.
func refusedWith(err error, code string) bool {
	var f *failure
	return errors.As(err, &f) && f.Code == code
}

// wire carries requests to one of the hub's addresses. It trusts the TLS key with the given SHA-256, and no date: the terminal may
// not know the day (the key, not the certificate, is what was pinned at joining).
type wire struct {
	client *http.Client
	hubs   []string

	mu     sync.Mutex
	at     int      // index of the address in use
	nonces []string // fresh ones from earlier answers, at most maxNonces
}

const (
	maxNonces = 4
	// answerTime is how long the hub may take over what it was not asked to wait for.
	answerTime = 30 * time.Second
)

func newWire(hubs []string, pin []byte) *wire {
	verify := func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) > 0 {
			sum := sha256.Sum256(s.PeerCertificates[0].RawSubjectPublicKeyInfo)
			if subtle.ConstantTimeCompare(sum[:], pin) == 1 {
				return nil
			}
		}
		return ErrImpostor
	}
	t := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true, VerifyConnection: verify},
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
		IdleConnTimeout:     2 * time.Minute,
	}
	noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &wire{client: &http.Client{Transport: t, CheckRedirect: noRedirect}, hubs: hubs}
}

func (w *wire) close() { w.client.CloseIdleConnections() }

// tryAll calls f once for every address until the hub answers, be it with a refusal.
func (w *wire) tryAll(ctx context.Context, f func(context.Context) ([]byte, error)) (out []byte, err error) {
	for range w.hubs {
		out, err = f(ctx)
		var said *failure
		if err == nil || errors.As(err, &said) || ctx.Err() != nil {
			return out, err
		}
		w.next()
	}
	return nil, err
}

func (w *wire) next() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = (w.at + 1) % len(w.hubs)
}

func (w *wire) address() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hubs[w.at]
}

// send makes one request and reads its answer. sign, if not nil, signs it.
func (w *wire) send(ctx context.Context, method, path, query string, body []byte, sign func(*http.Request)) ([]byte, error) {
	url := w.address() + path
	if query != "" {
		url += "?" + query
	}
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("asking the hub: %w", err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if sign != nil {
		sign(r)
	}
	answer, err := w.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("asking the hub: %w", err)
	}
	defer answer.Body.Close()
	w.keepNonce(answer.Header.Get(register.HeaderNonce))
	out, err := io.ReadAll(io.LimitReader(answer.Body, register.MaxBody+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the hub's answer: %w", err)
	case len(out) > register.MaxBody:
		return nil, fmt.Errorf("%w: an answer of more than %d bytes", register.ErrMalformed, register.MaxBody)
	case answer.StatusCode/100 != 2:
		return nil, refusal(answer, out)
	}
	return out, nil
}

// sendSigned makes one request that is signed, with a nonce of the hub's that is asked for where none is left.
func (w *wire) sendSigned(ctx context.Context, method, path, query string, body []byte, site, terminal string, key ed25519.PrivateKey) ([]byte, error) {
	once := func() ([]byte, error) {
		nonce := w.takeNonce()
		if nonce == "" {
			if _, err := w.send(ctx, http.MethodGet, "/v1/nonce", "", nil, nil); err != nil {
				return nil, err
			}
			nonce = w.takeNonce()
		}
		return w.send(ctx, method, path, query, body, func(r *http.Request) { register.SignRequest(r, body, site, terminal, nonce, key) })
	}
	out, err := once()
	if refusedWith(err, register.CodeNonce) { // the answer has brought a fresh one
		out, err = once()
	}
	return out, err
}

// refusal reads what the hub says with a status of its own; what a proxy says instead has no code.
func refusal(answer *http.Response, body []byte) error {
	f := &failure{status: answer.StatusCode}
	if json.Unmarshal(body[:min(len(body), 4096)], &f.Failure) != nil || f.Code == "" || len(f.Detail) > 500 {
		f.Failure = register.Failure{Detail: "something between this terminal and the hub, or the hub itself, is in trouble"}
	}
	if s, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil && s > 0 {
		f.after = time.Duration(min(s, int(maxPause/time.Second))) * time.Second
	}
	return f
}

func (w *wire) keepNonce(nonce string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if nonce != "" && len(nonce) <= 200 {
		if len(w.nonces) == maxNonces {
			w.nonces = w.nonces[1:]
		}
		w.nonces = append(w.nonces, nonce)
	}
}

// takeNonce gives the newest nonce that an earlier answer has brought, or "".
func (w *wire) takeNonce() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.nonces) == 0 {
		return ""
	}
	last := len(w.nonces) - 1
	n := w.nonces[last]
	w.nonces = w.nonces[:last]
	return n
}
