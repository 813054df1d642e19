package hub

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

// FuzzHandler sends anything to the terminal's side: it answers with a failure
// that can be read, and nothing is recorded.
func FuzzHandler(f *testing.F) {
	f.Add("GET", "/v1/register", "after=0&wait=0", "oakfield", "till-1", "", []byte(nil))
	f.Add("POST", "/v1/join", "", "", "", "", []byte(`{"site":"oakfield","token":"AAAA","name":"x","sign":"AAAA","seal":"AAAA","proof":"AAAA"}`))
	f.Add("POST", "/v1/reports", "", "oakfield", "till-1", "AAAA", []byte(`{"reports":[{"id":"1","kind":"refusal"}]}`))
	f.Add("POST", "/v1/mailbox/taken", "", "oakfield", "till-1", "AAAA", []byte(`{"ids":[`))
	handler := fuzzedHub(f).Handler()
	f.Fuzz(func(t *testing.T, method, path, query, site, name, signature string, body []byte) {
		if !strings.HasPrefix(path, "/") || strings.ContainsAny(method, " \t\r\n") || method == "" || method == "HEAD" || method == "CONNECT" {
			t.Skip("no request that a server would read")
		}
		r := httptest.NewRequest("POST", "/", strings.NewReader(string(body)))
		r.Method, r.URL = method, &url.URL{Path: path, RawQuery: query}
		r.Header.Set(register.HeaderSite, site)
		r.Header.Set(register.HeaderTerminal, name)
		r.Header.Set(register.HeaderSignature, signature)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		var failure register.Failure
		if w.Code >= 400 && (json.Unmarshal(w.Body.Bytes(), &failure) != nil || failure.Code == "" || failure.Detail == "") {
			t.Errorf("%s %q: %d %q is no failure that can be read", method, path, w.Code, w.Body)
		}
		if w.Code >= 500 {
			t.Errorf("%s %q: %d %s", method, path, w.Code, failure.Detail)
		}
	})
}

// fuzzedHub is one hub for all inputs of a fuzz target.
func fuzzedHub(f *testing.F) *Hub {
	f.Helper()
	dir := f.TempDir()
	if err := Init(dir, nil, zeros{}, start); err != nil {
		f.Fatal(err)
	}
	c := &clock{t: start}
	h, err := Open(f.Context(), Config{Dir: dir, Now: c.now, PIN: Cost{Passes: 1, KiB: 8, Threads: 1}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { h.Close() })
	if err := h.AddSite(f.Context(), Site{ID: "oakfield", Name: "Oakfield School", Profile: permitting}); err != nil {
		f.Fatal(err)
	}
	return h
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// FuzzNewSubject reads any JSON as a person to add: what passes the check has a
// name, a class and, for a pupil, a birthday, and no consent without evidence.
func FuzzNewSubject(f *testing.F) {
	good, err := json.Marshal(pupil("Ada Byron"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"name":"Ada","class":"adult"}`))
	f.Add([]byte(`{"name":"Ada","class":"adult","consent":"default-yes"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var p NewSubject
		if err := decode(httptest.NewRequest("POST", "/", strings.NewReader(string(body))), &p); err != nil || p.check() != nil {
			return
		}
		if p.Name == "" || p.Class == consent.UnknownClass || p.Class == consent.Pupil && p.Eighteenth.IsZero() {
			t.Errorf("accepted %+v", p)
		}
		for _, s := range p.Statements {
			if s.Kind == consent.Consent && (s.Form == consent.OptOut || s.Form == consent.Implied || s.Capacity != consent.Child && s.Evidence == "") {
				t.Errorf("A8: accepted %+v", s)
			}
		}
	})
}

// FuzzPHC reads any stored verifier: what it accepts cannot cost more than the bounds.
func FuzzPHC(f *testing.F) {
	text, err := Cost{Passes: 1, KiB: 8, Threads: 1}.verifier([]byte("123456"), zeros{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add("$argon2id$v=19$m=4294967295,t=1,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, phc string) {
		c, _, hash, err := parsePHC(phc)
		if err == nil && (c.check() != nil || len(hash) < 16) {
			t.Errorf("%q was accepted as %+v", phc, c)
		}
	})
}
