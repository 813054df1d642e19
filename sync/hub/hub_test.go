package hub

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

// clock is a hub's clock that a test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

var start = time.Date(2026, 9, 7, 11, 30, 0, 0, time.UTC)

const notice = "canteen-finger-2026-1"

var permitting = consent.Profile{Biometrics: true, Purpose: consent.CanteenIdentification, Modality: consent.Finger, Notices: []string{notice}}

// postgres is the database of the tests that TestOnPostgreSQL runs; else it is empty.
var postgres string

// newHub is a hub in a directory of its own with the site "oakfield".
func newHub(t *testing.T) (*Hub, *clock) {
	t.Helper()
	dir := t.TempDir()
	c := &clock{t: start}
	if err := Init(dir, []string{"127.0.0.1", "hub.test"}, rand.Reader, start); err != nil {
		t.Fatal(err)
	}
	h := openHub(t, dir, c)
	if err := h.AddSite(t.Context(), Site{ID: "oakfield", Name: "Oakfield School", Profile: permitting}); err != nil {
		t.Fatal(err)
	}
	return h, c
}

func openHub(t *testing.T, dir string, c *clock) *Hub {
	t.Helper()
	h, err := Open(t.Context(), Config{
		Dir: dir, Database: postgres, Now: c.now, PIN: Cost{Passes: 1, KiB: 8, Threads: 1}, Log: slog.New(slog.DiscardHandler),
		Addresses: []string{"https://127.0.0.1:8443"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// pupil has two parents, both notified, one of whom has consented.
func pupil(name string) NewSubject {
	said := func(by string, kind consent.Kind) consent.Statement {
		return consent.Statement{By: by, Capacity: consent.Parent, Kind: kind, Form: consent.Written, At: start.Add(-24 * time.Hour),
			Purpose: consent.CanteenIdentification, Modality: consent.Finger, Notice: notice, Evidence: "form " + name + " " + by}
	}
	return NewSubject{
		Class: consent.Pupil, Eighteenth: consent.Date{Year: 2031, Month: 5, Day: 2}, Name: name, Form: "8B", PIN: true,
		Responsible: []Adult{
			{consent.Responsible{ID: "g_1", Capacity: consent.Parent, ParentalResponsibility: true}, "Parent One"},
			{consent.Responsible{ID: "g_2", Capacity: consent.Parent, ParentalResponsibility: true}, "Parent Two"},
		},
		Statements: []consent.Statement{said("g_1", consent.Notified), said("g_2", consent.Notified), said("g_1", consent.Consent)},
	}
}

func addPupil(t *testing.T, h *Hub, name string) consent.SubjectID {
	t.Helper()
	added, err := h.AddSubjects(t.Context(), "oakfield", "office", []NewSubject{pupil(name)})
	if err != nil {
		t.Fatal(err)
	}
	return added[0].Subject
}

// terminal is the far end, with register's own code and nothing of the hub's.
type terminal struct {
	t      *testing.T
	site   string
	name   string
	url    string
	client *http.Client
	sign   ed25519.PrivateKey
	secret []byte
	public []byte
	hub    ed25519.PublicKey
	nonce  string
	last   *register.Checkpoint
	pepper []byte
}

func serve(t *testing.T, handler http.Handler, h *Hub) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.TLS = h.TLS()
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// newTerminal makes keys and a client that accepts only the pinned TLS key.
func newTerminal(t *testing.T, s *httptest.Server, code register.JoinCode) *terminal {
	t.Helper()
	secret, public, err := register.NewSealKey()
	if err != nil {
		t.Fatal(err)
	}
	_, sign, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{InsecureSkipVerify: true, VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
		leaf, err := x509.ParseCertificate(raw[0])
		if err == nil && sha256.Sum256(leaf.RawSubjectPublicKeyInfo) != code.Pin {
			err = errors.New("another TLS key than the join code names")
		}
		return err
	}}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config}}
	t.Cleanup(client.CloseIdleConnections)
	return &terminal{t: t, site: code.Site, url: s.URL, client: client, sign: sign, secret: secret, public: public}
}

func (x *terminal) joinRequest(token string) *register.JoinRequest {
	r := &register.JoinRequest{Site: x.site, Token: token, Sign: x.sign.Public().(ed25519.PublicKey), Seal: x.public}
	r.ProveJoin(x.sign)
	return r
}

// join redeems a code and keeps the answer.
func (x *terminal) join(token string) int {
	x.t.Helper()
	body, _ := json.Marshal(x.joinRequest(token))
	status, answer := x.raw("POST", "/v1/join", body, false)
	if status != http.StatusOK {
		return status
	}
	var a register.JoinAnswer
	if err := json.Unmarshal(answer, &a); err != nil {
		x.t.Fatal(err)
	}
	x.name, x.hub = a.Terminal, a.Key
	pepper, err := a.Pepper.Open(register.Label{Purpose: register.PurposePepper, Site: x.site, From: register.Hub, To: x.name}, x.secret, x.hub)
	if err != nil {
		x.t.Fatal(err)
	}
	x.pepper = pepper
	return status
}

// request makes one signed request without sending it.
func (x *terminal) request(method, path string, body []byte) *http.Request {
	x.t.Helper()
	r, err := http.NewRequestWithContext(x.t.Context(), method, x.url+path, bytes.NewReader(body))
	if err != nil {
		x.t.Fatal(err)
	}
	register.SignRequest(r, body, x.site, x.name, x.nonce, x.sign)
	r.Header.Set(register.HeaderSite, x.site)
	return r
}

func (x *terminal) raw(method, path string, body []byte, signed bool) (int, []byte) {
	x.t.Helper()
	r, err := http.NewRequestWithContext(x.t.Context(), method, x.url+path, bytes.NewReader(body))
	if signed {
		if x.nonce == "" {
			x.raw("GET", "/v1/nonce", nil, false)
		}
		r = x.request(method, path, body)
	}
	if err != nil {
		x.t.Error(err)
		return 0, nil
	}
	status, answer := x.send(r)
	if signed && status == http.StatusUnauthorized { // as a terminal does: once again with the fresh nonce
		return x.send(x.request(method, path, body))
	}
	return status, answer
}

func (x *terminal) send(r *http.Request) (int, []byte) {
	x.t.Helper()
	answer, err := x.client.Do(r)
	if err != nil {
		x.t.Error(err)
		return 0, nil
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		x.t.Error(err)
	}
	if x.nonce = answer.Header.Get(register.HeaderNonce); x.nonce == "" {
		x.t.Errorf("%s %s: the answer carries no nonce", r.Method, r.URL.Path)
	}
	return answer.StatusCode, body
}

// ask sends a signed request and wants a success.
func (x *terminal) ask(method, path string, in, out any) {
	x.t.Helper()
	var body []byte
	if in != nil {
		body, _ = json.Marshal(in)
	}
	status, answer := x.raw(method, path, body, true)
	if status/100 != 2 {
		x.t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	if out != nil {
		if err := json.Unmarshal(answer, out); err != nil {
			x.t.Fatal(err)
		}
	}
}

// sync asks for news, verifies them as a real terminal does, and returns them.
func (x *terminal) sync(wait int) []*register.Entry {
	x.t.Helper()
	var after uint64
	if x.last != nil {
		after = x.last.Size
	}
	status, body := x.raw("GET", fmt.Sprintf("/v1/register?after=%d&wait=%d", after, wait), nil, true)
	if status != http.StatusOK {
		x.t.Fatalf("register: %d %s", status, body)
	}
	return x.verify(body, false)
}

// wait begins to wait for news and delivers the unverified answer.
func (x *terminal) wait() <-chan []byte {
	got := make(chan []byte, 1)
	go func() {
		_, body := x.raw("GET", fmt.Sprintf("/v1/register?after=%d&wait=50", x.last.Size), nil, true)
		got <- body
	}()
	return got
}

func (x *terminal) verify(body []byte, elided bool) []*register.Entry {
	x.t.Helper()
	b, err := register.ParseBatch(body)
	if err != nil {
		x.t.Fatal(err)
	}
	verifier, err := register.NewVerifier(x.site, x.hub)
	if err != nil {
		x.t.Fatal(err)
	}
	entries, next, err := b.Verify(x.site, verifier, x.last, elided)
	if err != nil {
		x.t.Fatal(err)
	}
	x.last = next
	return entries
}

// joined is a hub's server with one joined terminal, commissioned for fingers.
func joined(t *testing.T, h *Hub, s *httptest.Server, site, name string) *terminal {
	t.Helper()
	x := justJoined(t, h, s, site, name)
	commission(t, h, x.site, x.name, register.ModePIN)
	commission(t, h, x.site, x.name, register.ModeFingers)
	return x
}

// commission takes a terminal to a mode with all that this needs.
func commission(t *testing.T, h *Hub, site, name string, mode register.Mode) {
	t.Helper()
	if err := h.Commission(t.Context(), site, "office", name, register.Commission{Mode: mode, References: references(mode)}); err != nil {
		t.Fatal(err)
	}
}

func references(mode register.Mode) []register.Reference {
	var all []register.Reference
	for _, need := range mode.Needs() {
		r := register.Reference{For: need, Text: "test " + string(need), On: consent.DateOf(start), By: "governors"}
		if need == register.ParentsNotice {
			r.Text = notice
		}
		all = append(all, r)
	}
	return all
}

// justJoined is one that begins in mode off.
func justJoined(t *testing.T, h *Hub, s *httptest.Server, site, name string) *terminal {
	t.Helper()
	text, err := h.NewJoinCode(t.Context(), site, "office", name)
	if err != nil {
		t.Fatal(err)
	}
	code, err := register.ParseJoinCode(text)
	if err != nil {
		t.Fatal(err)
	}
	x := newTerminal(t, s, code)
	if status := x.join(code.Token); status != http.StatusOK {
		t.Fatalf("joining: %d", status)
	}
	return x
}

// decisions is what the entries say about one subject, in sequence.
func decisions(entries []*register.Entry, id consent.SubjectID) (out []consent.Decision) {
	for _, e := range entries {
		if e.Subject != nil && e.Subject.ID == id {
			out = append(out, e.Subject.Decision)
		}
	}
	return out
}

func withdrawal(by string) consent.Statement {
	return consent.Statement{By: by, Capacity: consent.Parent, Kind: consent.Withdrawal, Form: consent.Written, At: start,
		Purpose: consent.CanteenIdentification, Modality: consent.Finger}
}

type pub = ed25519.PublicKey
