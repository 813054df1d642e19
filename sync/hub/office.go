package hub

import (
	"context"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// officer is who uses the office, of which site.
type officer struct{ site, name string }

// Office sessions end after a quiet half hour, and after a working day anyhow.
const (
	sessionIdle = 30 * time.Minute
	sessionLife = 9 * time.Hour
	loginTries  = 5 // wrong ones in a row, then each further one must wait
	loginPause  = 30 * time.Second
	cookieName  = "__Host-tillprint"
)

// office keeps who is logged in at this process. A restart logs everybody out.
type office struct {
	mu       sync.Mutex
	sessions map[string]*session  // by the cookie's value; guarded by mu
	wrong    map[officer]*attempt // guarded by mu
}

type session struct {
	officer
	began, used time.Time
}

type attempt struct {
	count int
	until time.Time
}

var errPause = errors.New("too many wrong passwords; wait half a minute and try again")

// begin starts a session and returns the cookie's value.
func (o *office) begin(who officer, token string, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sessions == nil {
		o.sessions = map[string]*session{}
	}
	for k, s := range o.sessions {
		if s.over(now) {
			delete(o.sessions, k)
		}
	}
	o.sessions[token] = &session{who, now, now}
}

func (s *session) over(now time.Time) bool {
	return now.Sub(s.used) > sessionIdle || now.Sub(s.began) > sessionLife
}

// find returns whose session it is. A page that looks again by itself does not
// keep its session alive.
func (o *office) find(token string, now time.Time, byHand bool) (officer, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.sessions[token]
	if s == nil || s.over(now) {
		delete(o.sessions, token)
		return officer{}, false
	}
	if byHand {
		s.used = now
	}
	return s.officer, true
}

func (o *office) end(token string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.sessions, token)
}

// allow says whether a password may be tried now, and counts the try as wrong
// until right tells otherwise, so that parallel guesses gain nothing.
func (o *office) allow(who officer, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.wrong == nil || len(o.wrong) > 10_000 { // names come from outside: bounded
		o.wrong = map[officer]*attempt{}
	}
	a := o.wrong[who]
	if a == nil {
		a = &attempt{}
		o.wrong[who] = a
	}
	if now.Before(a.until) {
		return false
	}
	if a.count++; a.count >= loginTries {
		a.until = now.Add(loginPause)
	}
	return true
}

func (o *office) right(who officer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.wrong, who)
}

// Office serves the office's pages under /office/ and its JSON API under
// /office/api/. Serve it over TLS only, to the school's own network.
func (h *Hub) Office() http.Handler {
	mux := http.NewServeMux()
	h.pages(mux)
	h.apiRoutes(mux)
	guarded := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self'; base-uri 'none'; object-src 'none'")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Strict-Transport-Security", "max-age=31536000")
		header.Set("Cache-Control", "no-store")
		guarded.ServeHTTP(w, r)
	})
}

// who finds out who makes a request: by session cookie, or by bearer token.
func (h *Hub) who(r *http.Request) (officer, bool) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		who, err := h.bearer(r.Context(), token)
		return who, err == nil
	}
	c, err := r.Cookie(cookieName)
	if err != nil {
		return officer{}, false
	}
	who, ok := h.office.find(c.Value, h.config.Now(), r.Header.Get("HX-Request") == "")
	return who, ok && h.exists(r.Context(), who)
}

// startSession checks a password and returns the cookie of a new session.
func (h *Hub) startSession(ctx context.Context, who officer, password string) (*http.Cookie, error) {
	if !h.office.allow(who, h.config.Now()) {
		return nil, errPause
	}
	if err := h.login(ctx, who.site, who.name, password); err != nil {
		return nil, err
	}
	h.office.right(who)
	b, err := randomBytes(h.config.Rand, 32)
	if err != nil {
		return nil, err
	}
	token := base64.RawURLEncoding.EncodeToString(b)
	h.office.begin(who, token, h.config.Now())
	return sessionCookie(token, int(sessionLife/time.Second)), nil
}

// sessionCookie is never sent by another site's page, nor without TLS, nor seen by a script.
func sessionCookie(token string, seconds int) *http.Cookie {
	return &http.Cookie{Name: cookieName, Value: token, Path: "/", MaxAge: seconds, Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode}
}

// from is the address of a request without its port, for the log of failures.
func from(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return host
}
