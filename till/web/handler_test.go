package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tillprint/tillprint/till"
)

// ask sends one request to the pages as a browser at their own address would.
func ask(h http.Handler, method, target string, form url.Values, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	r.Host = "localhost:8080"
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestWhoIsAnswered(t *testing.T) {
	c := newCanteen(t)
	h := Handler(Deps{Till: c.till, Base: "/till", Hosts: []string{"till-1.school.example"}})
	for _, q := range []struct {
		name, method, target string
		change               func(*http.Request)
		want                 int
	}{
		{"its own page", "GET", "/till/", nil, 200},
		{"without the slash", "GET", "/till", nil, 301},
		{"nothing else", "GET", "/till/x", nil, 404},
		{"outside the base", "GET", "/", nil, 404},
		{"a file", "GET", "/till/static/till.css", nil, 200},
		{"loopback by number", "GET", "/till/", func(r *http.Request) { r.Host = "127.0.0.1" }, 200},
		{"loopback of IPv6", "GET", "/till/", func(r *http.Request) { r.Host = "[::1]:80" }, 200},
		{"a configured name", "GET", "/till/pupil", func(r *http.Request) { r.Host = "till-1.school.example" }, 200},
		{"a rebound name", "GET", "/till/", func(r *http.Request) { r.Host = "evil.example" }, 421},
		{"no name", "GET", "/till/", func(r *http.Request) { r.Host = "" }, 421},
		{"an action", "POST", "/till/do/cash", nil, 204},
		{"an action from another site", "POST", "/till/do/cash", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
		{"an action from another origin", "POST", "/till/do/cash", func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") }, 403},
		{"an action by GET", "GET", "/till/do/cash", nil, 404},
		{"no such action", "POST", "/till/do/override", nil, 404},
	} {
		if w := ask(h, q.method, q.target, nil, q.change); w.Code != q.want {
			t.Errorf("%s: %d, want %d", q.name, w.Code, q.want)
		}
	}
}

func TestHeaders(t *testing.T) {
	c := newCanteen(t)
	w := ask(Handler(Deps{Till: c.till}), "GET", "/", nil, nil)
	for header, want := range map[string]string{"Content-Security-Policy": "script-src 'self'", "X-Frame-Options": "SAMEORIGIN", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if !strings.Contains(w.Header().Get(header), want) {
			t.Errorf("%s is %q", header, w.Header().Get(header))
		}
	}
	if strings.Contains(w.Header().Get("Content-Security-Policy"), "unsafe") {
		t.Error("the policy lets inline scripts or styles in")
	}
}

// TestActionsAnswerInWords: what is refused says why, in a status a script can
// read and a sentence a person can.
func TestActionsAnswerInWords(t *testing.T) {
	c := newCanteen(t)
	h := Handler(Deps{Till: c.till})
	amina := string(c.ids["Amina Khan"])
	for _, q := range []struct {
		action string
		form   url.Values
		want   int
	}{
		{"confirm", url.Values{"id": {"nonsense"}}, 409},
		{"confirm", url.Values{}, 409},
		{"choose", url.Values{"subject": {"../../etc"}}, 400},
		{"refuse", url.Values{"subject": {""}}, 400},
		{"outside", url.Values{"reference": {"<script>"}}, 400},
		{"key", url.Values{"key": {"12"}}, 400},
		{"key", url.Values{"key": {""}}, 400},
		{"key", url.Values{"key": {"x"}}, 400},
		{"enrol-yes", url.Values{}, 409},
		{"outside", url.Values{"reference": {strings.Repeat("1", mostBody)}}, 400},
		{"choose", url.Values{"subject": {amina}}, 204},
	} {
		w := ask(h, "POST", "/do/"+q.action, q.form, nil)
		if w.Code != q.want {
			t.Errorf("%s %.60v: %d, want %d", q.action, q.form, w.Code, q.want)
		}
		if w.Code >= 400 && !strings.HasSuffix(w.Body.String(), ".") {
			t.Errorf("%s: no sentence but %q", q.action, w.Body)
		}
	}
	id := c.till.View().Proposal.ID
	if w := ask(h, "POST", "/do/confirm", url.Values{"id": {id}}, nil); w.Code != 204 || c.till.View().State != till.Served {
		t.Errorf("confirming: %d, %v", w.Code, c.till.View().State)
	}
}

// TestPhotos: a picture goes out only while it is needed, and only if it is one.
func TestPhotos(t *testing.T) {
	c := newCanteen(t)
	h := Handler(Deps{Till: c.till})
	amina := c.ids["Amina Khan"]
	if w := ask(h, "GET", "/photo/person/"+string(amina), nil, nil); w.Code != 200 || w.Header().Get("Content-Type") != "image/jpeg" {
		t.Errorf("in a look-up: %d %s", w.Code, w.Header().Get("Content-Type"))
	}
	for _, bad := range []string{"/photo/person/x", "/photo/person/" + string(c.ids["Ben Owusu"])} {
		if w := ask(h, "GET", bad, nil, nil); w.Code != 404 {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}
	ask(h, "POST", "/do/choose", url.Values{"subject": {string(amina)}}, nil)
	of := "/photo/proposal/" + c.till.View().Proposal.ID
	if w := ask(h, "GET", of, nil, nil); w.Code != 200 {
		t.Errorf("of a proposal: %d", w.Code)
	}
	ask(h, "POST", "/do/clear", nil, nil)
	if w := ask(h, "GET", of, nil, nil); w.Code != 204 || w.Body.Len() > 0 {
		t.Errorf("of a proposal that is over: %d, %d bytes", w.Code, w.Body.Len())
	}
	w := httptest.NewRecorder()
	if sendPhoto(w, nil, []byte("<script>alert(1)</script>"), nil); w.Code != 404 {
		t.Error("markup was sent as a photo")
	}
}

// TestNamesGoToOnePageOnly is H13: a look-up's list is in no view that other
// pages get.
func TestNamesGoToOnePageOnly(t *testing.T) {
	c := newCanteen(t)
	h := Handler(Deps{Till: c.till})
	w := ask(h, "POST", "/do/names", url.Values{"q": {"mul"}}, nil)
	if w.Code != 200 || !strings.Contains(w.Body.String(), "Zoë Müller") {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for _, page := range []string{"/", "/pupil"} {
		if strings.Contains(ask(h, "GET", page, nil, nil).Body.String(), "Zoë") {
			t.Errorf("%s shows what another page looked up", page)
		}
	}
	if w := ask(h, "POST", "/do/names", url.Values{"q": {"nobody"}}, nil); !strings.Contains(w.Body.String(), "Nobody is called that") {
		t.Errorf("nobody found: %s", w.Body)
	}
}

// TestEventStream: a page gets the whole picture first and then only what has
// changed, and its line ends with the till.
func TestEventStream(t *testing.T) {
	c := newCanteen(t)
	server := httptest.NewServer(Handler(Deps{Till: c.till}))
	defer server.Close()
	defer server.CloseClientConnections()
	r, err := http.Get(server.URL + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	deadline := time.AfterFunc(20*time.Second, func() { r.Body.Close() })
	defer deadline.Stop()
	var got string
	buffer := make([]byte, 16<<10)
	read := func(until string) {
		t.Helper()
		for !strings.Contains(got, until) {
			n, err := r.Body.Read(buffer)
			got += string(buffer[:n])
			if err != nil {
				t.Fatalf("%v before %q came: %s", err, until, got)
			}
		}
	}
	read(`data-state="idle"`)
	got = ""
	c.must(c.till.Cash(t.Context()))
	read(`data-state="served"`)
	if strings.Contains(got, "event: keyed") {
		t.Error("a part that has not changed was sent again")
	}
}
