package hub

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/tillprint/tillprint/sync/register"
)

// caller is the terminal whose signature a request carries.
type caller struct {
	site, terminal string
	sign           ed25519.PublicKey
	seal           []byte
	removed        bool
	reported       uint64 // what it has applied, as far as is on record
}

// failure is an error with its place in the terminal API.
type failure struct {
	status int
	register.Failure
}

func (f *failure) Error() string { return f.Detail }

func fail(status int, code, detail string) error {
	return &failure{status, register.Failure{Code: code, Detail: detail}}
}

// Handler serves terminals as package register describes. Questions are held for
// up to Config.Wait, so a server's write timeout must be longer; its read
// timeouts may be short.
func (h *Hub) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/nonce", h.open(func(w http.ResponseWriter, _ *http.Request, _ []byte) error {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}))
	mux.HandleFunc("POST /v1/join", h.open(h.serveJoin))
	mux.HandleFunc("POST /v1/rejoin", h.open(h.serveRejoin))
	mux.HandleFunc("GET /v1/register", h.signed(h.serveRegister))
	mux.HandleFunc("POST /v1/share", h.signed(h.serveDeposit))
	mux.HandleFunc("POST /v1/share/open", h.open(h.serveShare))
	mux.HandleFunc("POST /v1/people", h.signed(h.servePeople))
	mux.HandleFunc("POST /v1/reports", h.signed(h.serveReports))
	mux.HandleFunc("POST /v1/exports", h.signed(h.serveExport))
	mux.HandleFunc("POST /v1/status", h.signed(h.serveStatus))
	mux.HandleFunc("POST /v1/witness", h.signed(h.serveWitness))
	mux.HandleFunc("POST /v1/page", h.signed(h.servePage))
	mux.HandleFunc("GET /v1/update", h.signed(h.serveUpdate))
	mux.HandleFunc("GET /v1/update/file", h.signed(h.serveUpdateFile))
	mux.HandleFunc("POST /v1/mailbox", h.signed(h.servePost))
	mux.HandleFunc("GET /v1/mailbox", h.signed(h.serveMail))
	mux.HandleFunc("POST /v1/mailbox/taken", h.signed(h.serveTaken))
	mux.HandleFunc("/", h.open(func(http.ResponseWriter, *http.Request, []byte) error {
		return fail(http.StatusNotFound, register.CodeUnknown, "there is nothing at this address")
	}))
	return mux
}

// open serves requests that need no signature. Every answer carries a fresh nonce.
func (h *Hub) open(serve func(http.ResponseWriter, *http.Request, []byte) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		nonce, err := h.nonces.fresh(h.config.Now(), h.config.Rand)
		if err == nil {
			w.Header().Set(register.HeaderNonce, nonce)
			var body []byte
			if body, err = readBody(w, r); err == nil {
				err = serve(w, r, body)
			}
		}
		if err != nil {
			h.answerFailure(w, r, err)
		}
	}
}

// signed serves requests of a terminal that is of its site, each once.
func (h *Hub) signed(serve func(http.ResponseWriter, *http.Request, []byte, caller) error) http.HandlerFunc {
	return h.open(func(w http.ResponseWriter, r *http.Request, body []byte) error {
		c, err := h.whoCalls(r)
		if err != nil {
			return err
		}
		if err := register.VerifyRequest(r, body, c.site, c.sign); err != nil {
			return fail(http.StatusUnauthorized, register.CodeSignature, "the request's signature does not verify")
		}
		if !h.nonces.use(r.Header.Get(register.HeaderNonce), h.config.Now()) {
			return fail(http.StatusUnauthorized, register.CodeNonce, "the nonce is unknown, old or used; try again with the fresh one")
		}
		if c.removed {
			return fail(http.StatusForbidden, register.CodeRemoved, "this terminal has been removed from its site")
		}
		h.contacts.seen(c.site, c.terminal, h.config.Now())
		return serve(w, r, body, c)
	})
}

// whoCalls finds the terminal that a request claims to come from.
func (h *Hub) whoCalls(r *http.Request) (caller, error) {
	c := caller{site: r.Header.Get(register.HeaderSite), terminal: r.Header.Get(register.HeaderTerminal)}
	err := h.db.QueryRowContext(r.Context(), `SELECT sign_key, seal_key, removed, reported FROM terminals WHERE site = $1 AND terminal = $2`,
		c.site, c.terminal).Scan((*[]byte)(&c.sign), &c.seal, &c.removed, &c.reported)
	if errors.Is(err, sql.ErrNoRows) {
		return c, fail(http.StatusUnauthorized, register.CodeSignature, "no such terminal has joined")
	}
	if err != nil {
		return c, fmt.Errorf("looking for a terminal: %w", plain(err))
	}
	return c, nil
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, register.MaxBody))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, fail(http.StatusRequestEntityTooLarge, register.CodeSize, fmt.Sprintf("a body may have at most %d bytes", register.MaxBody))
	}
	if err != nil {
		return nil, fail(http.StatusBadRequest, register.CodeMalformed, "the body broke off")
	}
	return body, nil
}

// answerFailure tells the terminal what it may know and the log the rest.
func (h *Hub) answerFailure(w http.ResponseWriter, r *http.Request, err error) {
	var f *failure
	switch {
	case errors.As(err, &f):
	case r.Context().Err() != nil: // it hung up: there is nobody to tell
		return
	case errors.Is(err, register.ErrMalformed) || errors.Is(err, ErrInvalid):
		f = &failure{http.StatusBadRequest, register.Failure{Code: register.CodeMalformed, Detail: err.Error()}}
	case errors.Is(err, register.ErrUnsigned):
		f = &failure{http.StatusUnauthorized, register.Failure{Code: register.CodeSignature, Detail: err.Error()}}
	case errors.Is(err, ErrNotFound):
		f = &failure{http.StatusNotFound, register.Failure{Code: register.CodeUnknown, Detail: err.Error()}}
	default:
		h.config.Log.Error("a terminal's request failed", "path", r.URL.Path, "err", err)
		f = &failure{http.StatusServiceUnavailable, register.Failure{Code: register.CodeBusy, Detail: "the hub cannot answer now"}}
	}
	if f.Code == register.CodeBusy {
		w.Header().Set("Retry-After", "2")
	}
	writeJSON(w, f.status, f.Failure)
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing an answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
	return nil
}

// signedTime is the hub's clock in whole seconds that never run backwards while the
// process lives, since terminals take an earlier checkpoint for a replay.
func (h *Hub) signedTime() time.Time {
	t := h.config.Now().Unix()
	for {
		last := h.latest.Load()
		if t <= last {
			return time.Unix(last, 0).UTC()
		}
		if h.latest.CompareAndSwap(last, t) {
			return time.Unix(t, 0).UTC()
		}
	}
}

// flushContacts writes down when each terminal was last heard of.
func (h *Hub) flushContacts(ctx context.Context) error {
	seen := h.contacts.take()
	if len(seen) == 0 {
		return nil
	}
	err := h.change(ctx, func(tx *sql.Tx) error {
		for who, when := range seen {
			if _, err := tx.ExecContext(ctx, `UPDATE terminals SET contact = $3 WHERE site = $1 AND terminal = $2 AND contact < $3`,
				who.site, who.name, at(when)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("noting contacts: %w", err)
	}
	return nil
}
