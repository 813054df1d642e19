package outlet

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/till"
)

const token = "a token of the till"

var key = []byte("sixteen bytes!!!")

// wire is a point of sale's end: what has been written, under a lock.
type wire struct {
	mu sync.Mutex
	b  strings.Builder
	h  http.Header
}

func (w *wire) Header() http.Header { return w.h }
func (w *wire) WriteHeader(int)     {}
func (w *wire) Flush()              {}
func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}
func (w *wire) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// listen connects a point of sale inside a synctest bubble.
func listen(t *testing.T, s *Server, last string) *wire {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r := httptest.NewRequestWithContext(ctx, "GET", "/v1/identities", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Last-Event-ID", last)
	w := &wire{h: http.Header{}}
	go s.Handler().ServeHTTP(w, r)
	synctest.Wait()
	return w
}

func server(t *testing.T) *Server {
	t.Helper()
	s, err := New(token, key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func amina(id string) till.Identity {
	return till.Identity{ID: id, Subject: "p_aaaaaaaaaaaaaaaaaaaaaaaaaa", At: time.Now()}
}

func TestIdentifiedAndCleared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t)
		w := listen(t, s, "")
		s.Identified(amina("one"))
		s.Cleared()
		s.Cleared()
		synctest.Wait()
		want := "id: one\nevent: identified\ndata: {\"id\":\"one\",\"account\":\"" + s.Account(amina("").Subject) + "\",\"at\":\"2000-01-01T00:00:00Z\"}\n\n" +
			"event: cleared\ndata: {\"id\":\"one\"}\n\n"
		if got := strings.TrimPrefix(w.text(), ": tillprint\n\n"); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}

// TestLateSubscriber: an identity reaches who connects within Fresh, once, and
// nobody later.
func TestLateSubscriber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t)
		s.Identified(amina("one"))
		time.Sleep(Fresh - time.Millisecond)
		if w := listen(t, s, ""); !strings.Contains(w.text(), "id: one\n") {
			t.Error("a fresh identity was not sent")
		}
		if w := listen(t, s, "one"); strings.Contains(w.text(), "one") {
			t.Error("an identity was sent again to who had it")
		}
		time.Sleep(time.Millisecond)
		if w := listen(t, s, ""); strings.Contains(w.text(), "one") {
			t.Error("a stale identity was sent")
		}
	})
}

// TestStaleInQueue: what waited too long in a slow reader's queue is not sent.
func TestStaleInQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := server(t)
		c := s.subscribe("")
		s.Identified(amina("one"))
		time.Sleep(Fresh)
		if m := (<-c).message(); m != nil {
			t.Errorf("a stale identity was written: %s", m)
		}
	})
}

func TestSlowSubscriberIsCutOff(t *testing.T) {
	s := server(t)
	c := s.subscribe("")
	for range queue + 1 {
		s.Identified(amina("x"))
	}
	for range queue {
		<-c
	}
	if _, open := <-c; open {
		t.Error("a point of sale that does not read is still subscribed")
	}
	s.unsubscribe(c) // what the handler does afterwards must not close it again
}

func TestBoundedSubscribers(t *testing.T) {
	s := server(t)
	for range MaxSubscribers {
		if s.subscribe("") == nil {
			t.Fatal("refused too early")
		}
	}
	r := httptest.NewRequest("GET", "/v1/identities", nil)
	r.Header.Set("Authorization", "bearer "+token)
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("one too many got %d", w.Code)
	}
}

func TestToken(t *testing.T) {
	s := server(t)
	for _, header := range []string{"", "Bearer", "Bearer ", "Bearer x" + token, "Bearer " + token + "x", "Basic " + token, token} {
		r := httptest.NewRequest("GET", "/v1/identities", nil)
		r.Header.Set("Authorization", header)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%q got %d", header, w.Code)
		}
	}
	if _, err := New("short", key); err == nil {
		t.Error("a short token was taken")
	}
	if _, err := New(token, key[:15]); err == nil {
		t.Error("a short account key was taken")
	}
}

// TestAccountIsOpaqueAndPerTill is I1: a token says nothing, and two tills share
// none.
func TestAccountIsOpaqueAndPerTill(t *testing.T) {
	subject := consent.SubjectID("p_aaaaaaaaaaaaaaaaaaaaaaaaaa")
	other, err := New(token, []byte("another till's k"))
	if err != nil {
		t.Fatal(err)
	}
	a := server(t).Account(subject)
	if a != server(t).Account(subject) {
		t.Error("the same till gives another token for the same person")
	}
	if a == other.Account(subject) || strings.Contains(a, string(subject[2:6])) {
		t.Error("the token is not this till's own")
	}
	if a == server(t).Account("p_aaaaaaaaaaaaaaaaaaaaaaaaae") {
		t.Error("two people share a token")
	}
}
