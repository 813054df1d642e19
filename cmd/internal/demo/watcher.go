package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/till"
)

// watcher is the demo's side of a Watch.
type watcher struct {
	client *http.Client
	latest chan struct{} // capacity 1: something came

	mu    sync.Mutex // guards what follows
	view  till.View
	scans []till.Result // not yet taken
}

// watch connects to the socket at path and follows the news until ctx ends or
// the terminal does. each, if not nil, is told of every line.
func watch(ctx context.Context, path string, each func(News)) (*watcher, error) {
	w := &watcher{latest: make(chan struct{}, 1)}
	w.client = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://terminal/news", nil)
	if err != nil {
		return nil, err
	}
	answer, err := w.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("watching a terminal: %w", err)
	}
	go func() {
		defer answer.Body.Close()
		lines := bufio.NewScanner(answer.Body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var n News
			if json.NewDecoder(bytes.NewReader(lines.Bytes())).Decode(&n) == nil {
				w.take(n)
				if each != nil {
					each(n)
				}
			}
		}
	}()
	return w, nil
}

func (w *watcher) take(n News) {
	w.mu.Lock()
	if n.View != nil {
		w.view = *n.View
	}
	if n.Scan != nil {
		w.scans = append(w.scans, *n.Scan)
	}
	w.mu.Unlock()
	select {
	case w.latest <- struct{}{}:
	default:
	}
}

// until waits for a view that fits and returns it.
func (w *watcher) until(ctx context.Context, what string, fits func(till.View) bool) (till.View, error) {
	for {
		w.mu.Lock()
		v := w.view
		w.mu.Unlock()
		if fits(v) {
			return v, nil
		}
		select {
		case <-w.latest:
		case <-ctx.Done():
			return v, fmt.Errorf("waiting for %s: the till shows %v (%s): %w", what, v.State, v.Say, context.Cause(ctx))
		}
	}
}

// scan waits for the result of the next press.
func (w *watcher) scan(ctx context.Context) (till.Result, error) {
	for {
		w.mu.Lock()
		if len(w.scans) > 0 {
			r := w.scans[0]
			w.scans = w.scans[1:]
			w.mu.Unlock()
			return r, nil
		}
		w.mu.Unlock()
		select {
		case <-w.latest:
		case <-ctx.Done():
			return till.Result{}, fmt.Errorf("waiting for a press to be decided: %w", context.Cause(ctx))
		}
	}
}

// forget drops results that nobody took.
func (w *watcher) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.scans = nil
}

func (w *watcher) standing(ctx context.Context) (s Standing, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://terminal/standing", nil)
	if err != nil {
		return s, err
	}
	answer, err := w.client.Do(request)
	if err != nil {
		return s, fmt.Errorf("asking a terminal how it stands: %w", err)
	}
	defer answer.Body.Close()
	return s, json.NewDecoder(answer.Body).Decode(&s)
}

// is reports whether v proposes this subject.
func is(v till.View, subject consent.SubjectID) bool {
	return v.State == till.Proposed && v.Proposal != nil && v.Proposal.Subject == subject
}
