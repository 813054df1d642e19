// Package outlet tells a point of sale who has been identified at a till, over
// server-sent events.
//
// A point of sale holds GET /v1/identities open, with "Authorization: Bearer
// TOKEN", and gets:
//
//	event: identified
//	id: hv3d...
//	data: {"id":"hv3d...","account":"6q2c...","at":"2026-09-03T12:04:05Z"}
//
//	event: cleared
//	data: {"id":"hv3d..."}
//
// "account" is an opaque token that belongs to this till and this person: not a
// name, not an admission number, and another till's token for the same person is
// another one. For an outside account "outside" has its reference instead. Nothing
// says by which route the person was identified, and nothing else leaves (I1).
//
// An identity is sent within [Fresh] of its confirmation or not at all: a point
// of sale that connects late, or reads slowly, never attaches somebody to the
// next basket. Who reconnects with Last-Event-ID is not told the same identity
// twice.
package outlet

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/till"
)

// Fresh is how old an identity may be when it is sent.
const Fresh = till.ProposalLife

// Limits of a server.
const (
	MaxSubscribers = 8  // points of sale that listen to one till
	leastSecret    = 16 // bytes of a token and of an account key
	queue          = 8  // events that a point of sale may lag behind before it is cut off
)

// Server is the outlet of one till. It is a till.Outlet; its methods are safe
// for concurrent use and never wait for a point of sale.
type Server struct {
	token      [sha256.Size]byte // hash of the bearer token, so that a comparison shows no length
	accountKey []byte

	mu      sync.Mutex // guards what follows
	current *event     // the identity being served, nil when none
	subs    map[chan event]struct{}
}

// event is one server-sent event, made once for all subscribers.
type event struct {
	name string
	id   string
	data []byte
	at   time.Time // when it was made, by the monotonic clock
}

// New makes a server. token is what a point of sale must show, accountKey what
// its account tokens are made from; both are secret, at least 16 bytes long, and
// this till's own. A new account key gives everybody new tokens.
func New(token string, accountKey []byte) (*Server, error) {
	if len(token) < leastSecret || len(accountKey) < leastSecret {
		return nil, errors.New("outlet: the token and the account key must have at least 16 bytes; let the terminal draw them")
	}
	return &Server{token: sha256.Sum256([]byte(token)), accountKey: append([]byte(nil), accountKey...), subs: map[chan event]struct{}{}}, nil
}

// Account is the opaque account token of a subject at this till, for the list
// that a point of sale imports once.
func (s *Server) Account(subject consent.SubjectID) string {
	mac := hmac.New(sha256.New, s.accountKey)
	mac.Write([]byte("tillprint account token 1\x00" + subject))
	return strings.ToLower(base32.StdEncoding.EncodeToString(mac.Sum(nil)[:15]))
}

// Identified tells every point of sale who is being served.
func (s *Server) Identified(who till.Identity) {
	message := struct {
		ID      string `json:"id"`
		Account string `json:"account,omitempty"`
		Outside string `json:"outside,omitempty"`
		At      string `json:"at"`
	}{ID: who.ID, Outside: who.Outside, At: who.At.UTC().Format(time.RFC3339)}
	if who.Subject != "" {
		message.Account = s.Account(who.Subject)
	}
	e := event{name: "identified", id: who.ID, data: encode(message), at: time.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = &e
	s.send(e)
}

// Cleared tells every point of sale that this person has been served.
func (s *Server) Cleared() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		return
	}
	e := event{name: "cleared", at: time.Now(), data: encode(struct {
		ID string `json:"id"`
	}{s.current.id})}
	s.current = nil
	s.send(e)
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("outlet: encoding strings: " + err.Error()) // cannot happen: strings always encode
	}
	return b
}

// send queues e for every subscriber and cuts off those that do not read. The
// caller holds mu.
func (s *Server) send(e event) {
	for c := range s.subs {
		select {
		case c <- e:
		default:
			delete(s.subs, c)
			close(c)
		}
	}
}

// subscribe returns a channel of events, beginning with the current identity if
// it is fresh and not the one named by last. It is nil when too many listen.
func (s *Server) subscribe(last string) chan event {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.subs) >= MaxSubscribers {
		return nil
	}
	c := make(chan event, queue)
	s.subs[c] = struct{}{}
	if s.current != nil && s.current.id != last {
		c <- *s.current
	}
	return c
}

func (s *Server) unsubscribe(c chan event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.subs[c]; ok {
		delete(s.subs, c)
		close(c)
	}
}

// admits reports whether a bearer token is the right one, in constant time.
func (s *Server) admits(authorization string) bool {
	scheme, token, _ := strings.Cut(authorization, " ")
	got := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(got[:], s.token[:]) == 1 && strings.EqualFold(scheme, "Bearer")
}
