package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tillprint/tillprint/till"
)

// shop is a workshop that answers what a test says, and notes what it was asked.
type shop struct {
	test  Test
	fails error
	did   []string
}

func (s *shop) Examine() Examination {
	return Examination{Site: "<st-mary>", Terminal: "till-1", Version: "v1", At: time.Now(), Waiting: 3, Trouble: "no <key>",
		Findings: []till.Lamp{{Part: "Key slot", Words: "file: <b>"}, {Part: "Hub", Words: "away", Level: till.Warn}, {Part: "Card", Words: "worn", Level: till.Bad}}}
}
func (s *shop) note(what string) error                 { s.did = append(s.did, what); return s.fails }
func (s *shop) Bundle(context.Context) ([]byte, error) { return []byte("packed"), s.note("bundle") }
func (s *shop) StartTest(hands bool) error {
	return s.note(map[bool]string{true: "hands", false: "test"}[hands])
}
func (s *shop) Answer(yes bool) error         { return s.note(map[bool]string{true: "yes", false: "no"}[yes]) }
func (s *shop) Test() (Test, <-chan struct{}) { return s.test, nil }
func (s *shop) Decommission(name string) error {
	return s.note("end " + name)
}
func (s *shop) Leaving() bool {
	return len(s.did) > 0 && strings.HasPrefix(s.did[len(s.did)-1], "end ")
}

// atTheTerminal makes a request one of the terminal's own browser.
func atTheTerminal(r *http.Request) { r.RemoteAddr = "127.0.0.1:4000" }

var yes = url.Values{"sure": {"yes"}}

// Whoever is no technician gets nothing of the page and moves nothing; at the terminal itself each order arrives once.
func TestOnlyTechnicians(t *testing.T) {
	for _, q := range []struct {
		method, path string
		form         url.Values
		want         int
		did          string
	}{
		{"GET", "/technician", nil, 200, ""},
		{"GET", "/technician/findings", nil, 200, ""},
		{"GET", "/technician/stage", nil, 200, ""},
		{"POST", "/technician/bundle", yes, 200, "bundle"},
		{"POST", "/technician/bundle", url.Values{}, 400, ""},
		{"POST", "/technician/test", yes, 204, "test"},
		{"POST", "/technician/test", url.Values{"sure": {"yes"}, "hands": {"yes"}}, 204, "hands"},
		{"POST", "/technician/test", url.Values{"hands": {"yes"}}, 400, ""},
		{"POST", "/technician/answer", url.Values{"yes": {"yes"}}, 204, "yes"},
		{"POST", "/technician/answer", url.Values{"yes": {"no"}}, 204, "no"},
		{"POST", "/technician/decommission", url.Values{"terminal": {"till-1"}}, 200, "end till-1"},
	} {
		s := &shop{}
		h := Handler(Deps{Workshop: s, Base: "/till"})
		if w := ask(h, q.method, "/till"+q.path, q.form, nil); w.Code != 403 || strings.Contains(w.Body.String(), "till-1") || len(s.did) > 0 {
			t.Errorf("%s by staff: %d %q %q", q.path, w.Code, w.Body, s.did)
		}
		foreign := func(r *http.Request) { atTheTerminal(r); r.Header.Set("Sec-Fetch-Site", "cross-site") }
		if w := ask(h, q.method, "/till"+q.path, q.form, foreign); q.method == "POST" && (w.Code != 403 || len(s.did) > 0) {
			t.Errorf("%s from another site: %d %q", q.path, w.Code, s.did)
		}
		if w := ask(h, q.method, "/till"+q.path, q.form, atTheTerminal); w.Code != q.want || strings.Join(s.did, " ") != q.did {
			t.Errorf("%s %v: %d %q, want %d %q", q.path, q.form, w.Code, s.did, q.want, q.did)
		}
		if w := ask(Handler(Deps{Base: "/till"}), q.method, "/till"+q.path, q.form, atTheTerminal); w.Code != 404 && w.Code != 405 {
			t.Errorf("%s without a workshop: %d", q.path, w.Code)
		}
	}
}

// The operator's page leads there only those who may go.
func TestTheWayToTheTechniciansPage(t *testing.T) {
	c := newCanteen(t)
	const link = `href="/technician"`
	for _, q := range []struct {
		deps Deps
		who  func(*http.Request)
		want bool
	}{{Deps{Till: c.till, Workshop: &shop{}}, atTheTerminal, true}, {Deps{Till: c.till, Workshop: &shop{}}, nil, false}, {Deps{Till: c.till}, atTheTerminal, false}} {
		if w := ask(Handler(q.deps), "GET", "/", nil, q.who); strings.Contains(w.Body.String(), link) != q.want {
			t.Errorf("workshop %v: the link is there: %v", q.deps.Workshop != nil, !q.want)
		}
	}
}

// What a workshop refuses is a sentence with the status of a conflict; what fails is one with that of a failure.
func TestTheWorkshopRefuses(t *testing.T) {
	for err, want := range map[error]int{ErrUnderWay: 409, ErrNoQuestion: 409, ErrOtherName: 409, ErrLeaving: 409, ErrNoStore: 409, till.ErrBusy: 409, errors.New("no <room>"): 500} {
		for _, path := range []string{"bundle", "test", "answer", "decommission"} {
			w := ask(Handler(Deps{Workshop: &shop{fails: err}}), "POST", "/technician/"+path, yes, atTheTerminal)
			if body := w.Body.String(); w.Code != want || !strings.HasPrefix(body, "Not done: ") || !strings.HasSuffix(body, ".") || strings.Contains(body, "<") {
				t.Errorf("%s, %v: %d %q", path, err, w.Code, body)
			}
		}
	}
}

// Every stage of a test renders, and nothing that a part has said becomes markup.
func TestEveryStageOfATestRenders(t *testing.T) {
	found := []till.Lamp{{Part: "Sensor", Words: "<script>", Level: till.Bad}}
	for want, test := range map[string]Test{
		"Not tried yet":   {},
		"being tried":     {Running: true},
		"Touch &lt;it&gt": {Running: true, Say: "Touch <it>", Found: found},
		`id="unseen"`:     {Running: true, Say: "Did it shine?", Question: true},
		"Tried ":          {At: time.Now(), Found: found},
		"broke":           {At: time.Now(), Trouble: "It broke <here>."},
	} {
		h := Handler(Deps{Workshop: &shop{test: test}})
		body := ask(h, "GET", "/technician", nil, atTheTerminal).Body.String()
		if !strings.Contains(body, want) {
			t.Errorf("%q is not on the page", want)
		}
		for _, raw := range []string{"<script>", "<it>", "<here>", "<b>:", "<st-mary>", "<key>", "style=", "onclick"} {
			if strings.Contains(body, raw) {
				t.Errorf("%q: the page holds %q", want, raw)
			}
		}
		if strings.Contains(body, `id="try"`) == test.Running {
			t.Errorf("%q: a test can be begun: %v", want, test.Running)
		}
	}
}

// A terminal that has ended shows that to everybody, its certificate to technicians, and does nothing else.
func TestEnded(t *testing.T) {
	end := End{Working: true, Terminal: "till-1"}
	h := Ended(Deps{Base: "/till"}, func() End { return end })
	see := func(path string, who func(*http.Request)) string {
		return ask(h, "GET", "/till"+path, nil, who).Body.String()
	}
	if stage := see("/technician/stage", nil); stage != "leaving" || !strings.Contains(see("/technician", atTheTerminal), "Do not switch off") {
		t.Errorf("while it works: %q", stage)
	}
	if w := ask(h, "GET", "/till/technician/certificate", nil, atTheTerminal); w.Code != 404 {
		t.Errorf("a certificate before there is one: %d", w.Code)
	}
	end = End{Terminal: "till-1", Certificate: "signed <text>", Verifier: "key", Hub: "It knows."}
	for _, path := range []string{"/", "/pupil", "/technician"} {
		staff, own := see(path, nil), see(path, atTheTerminal)
		if !strings.Contains(staff, "has been decommissioned") || strings.Contains(staff, "signed") {
			t.Errorf("%s, staff: %s", path, staff)
		}
		if !strings.Contains(own, "signed &lt;text&gt;") || !strings.Contains(own, "It knows.") {
			t.Errorf("%s, technician: %s", path, own)
		}
	}
	w := ask(h, "GET", "/till/technician/certificate", nil, atTheTerminal)
	if w.Body.String() != end.Certificate || w.Header().Get("Content-Disposition") != `attachment; filename="till-1-certificate.txt"` {
		t.Errorf("the certificate: %q %v", w.Body, w.Header())
	}
	for path, want := range map[string]int{"GET /technician/stage": 200, "GET /static/till.css": 200, "GET /technician/certificate": 403, "GET /events": 404,
		"POST /do/cash": 409, "POST /technician/decommission": 409} {
		method, path, _ := strings.Cut(path, " ")
		if w := ask(h, method, "/till"+path, nil, nil); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}
