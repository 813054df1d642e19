package terminald

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/tillprint/tillprint/cmd/internal/cli"
)

// A running daemon holds its store alone, so the commands that look into it ask the daemon: over HTTP on a socket in the
// store's folder, which nobody but the folder's owner can reach. Every answer is JSON; an error is {"error": "one sentence"}.
const controlName = "control"

// maxControl bounds a question and an answer, in bytes: an export has photos and templates.
const maxControl = 16 << 20

// errNoDaemon says that nobody answers on the socket: the store is free to be opened.
var errNoDaemon = errors.New("no daemon runs on this store")

func (c Config) controlPath() string { return filepath.Join(c.Store.Dir, controlName) }

// listenControl opens the socket. What an earlier process has left is replaced: the store's lock is held, so nobody uses it.
func (c Config) listenControl() (net.Listener, error) {
	if err := os.Remove(c.controlPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", c.controlPath())
	if err != nil {
		return nil, err
	}
	return l, os.Chmod(c.controlPath(), 0o600)
}

// control serves the socket until ctx ends. Lunch does not depend on it.
func (t *Terminal) control(ctx context.Context, c Config) error {
	l, err := c.listenControl()
	if err != nil {
		t.log.Warn("'tillprint doctor' and 'tillprint export' cannot ask this daemon", "err", err)
		return nil
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /doctor", answer(func(*http.Request) (any, error) { return t.diagnose(c), nil }))
	mux.HandleFunc("GET /standing", answer(func(*http.Request) (any, error) { return t.standing(), nil }))
	mux.HandleFunc("POST /export", answer(t.export))
	mux.HandleFunc("POST /support", answer(func(*http.Request) (any, error) { return t.support(c) }))
	mux.HandleFunc("POST /selftest", answer(func(r *http.Request) (any, error) { return t.selfTest(r.Context(), c) }))
	return cli.Serve(ctx, l, mux)
}

func answer(serve func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxControl)
		v, err := serve(r)
		if err != nil {
			w.WriteHeader(http.StatusUnprocessableEntity)
			v = controlError{err.Error()}
		}
		_ = json.NewEncoder(w).Encode(v) // the asker may have left
	}
}

type controlError struct {
	Error string `json:"error"`
}

// ask puts a question to the daemon on c's store; the error wraps errNoDaemon when there is none.
func (c Config) ask(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	var d net.Dialer
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return d.DialContext(ctx, "unix", c.controlPath())
		}}}
	r, err := http.NewRequestWithContext(ctx, method, "http://terminal"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := client.Do(r)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return errNoDaemon
	}
	if err != nil {
		return fmt.Errorf("asking the daemon on %s: %w", c.Store.Dir, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxControl))
	if err != nil {
		return fmt.Errorf("asking the daemon on %s: %w", c.Store.Dir, err)
	}
	if answer.StatusCode != http.StatusOK {
		var said controlError
		if json.Unmarshal(text, &said) != nil || said.Error == "" {
			said.Error = "the daemon does not understand the question: bring it and this command to the same release"
		}
		return errors.New(strings.TrimSpace(said.Error))
	}
	return json.Unmarshal(text, out)
}
