package hub

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

// browser is somebody at the office.
type browser struct {
	t      *testing.T
	url    string
	client *http.Client
	header http.Header
}

func newBrowser(t *testing.T, s *httptest.Server) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(c.CloseIdleConnections)
	return &browser{t, s.URL, c, http.Header{}}
}

func (b *browser) do(method, path, kind, body string) (*http.Response, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header = b.header.Clone()
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	a, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return a, string(text)
}

func (b *browser) get(path string) (int, string) {
	b.t.Helper()
	a, text := b.do("GET", path, "", "")
	return a.StatusCode, text
}

func (b *browser) post(path string, form url.Values) (int, string) {
	b.t.Helper()
	a, text := b.do("POST", path, "application/x-www-form-urlencoded", form.Encode())
	return a.StatusCode, text
}

func (b *browser) login() int {
	b.t.Helper()
	status, _ := b.post("/office/login", url.Values{"site": {"oakfield"}, "name": {"smith"}, "password": {"correct horse 9"}})
	return status
}

func officeOf(t *testing.T, h *Hub) *browser {
	t.Helper()
	if err := h.AddOfficer(t.Context(), "oakfield", "smith", "correct horse 9"); err != nil {
		t.Fatal(err)
	}
	return newBrowser(t, serve(t, h.Office(), h))
}

func TestTheOfficeNeedsALogin(t *testing.T) {
	h, c := newHub(t)
	id := addPupil(t, h, "Ada Byron")
	b := officeOf(t, h)
	for _, path := range []string{"/office/", "/office/people", "/office/people/" + string(id), "/office/terminals", "/office/receipts", "/office/school"} {
		if status, body := b.get(path); status != http.StatusSeeOther || strings.Contains(body, "Ada") {
			t.Errorf("GET %s without a login: %d", path, status)
		}
	}
	if status, _ := b.post("/office/people/"+string(id)+"/withdraw", url.Values{"by": {"g_1"}}); status != http.StatusSeeOther {
		t.Errorf("withdrawing without a login: %d", status)
	}
	for _, path := range []string{"/office/api/subjects", "/office/api/terminals", "/office/api/receipts", "/office/api/log"} {
		if status, body := b.get(path); status != http.StatusUnauthorized || strings.Contains(body, "Ada") {
			t.Errorf("GET %s without a token: %d", path, status)
		}
	}
	if d, err := h.Subject(t.Context(), "oakfield", id); err != nil || len(d.Statements) != 3 {
		t.Fatalf("somebody without a login added a statement: %v", err)
	}
	if b.login() != http.StatusSeeOther {
		t.Fatal("the login failed")
	}
	if status, body := b.get("/office/people"); status != http.StatusOK || !strings.Contains(body, "Ada Byron") {
		t.Errorf("logged in: %d", status)
	}
	c.move(sessionIdle + time.Second)
	if status, _ := b.get("/office/people"); status != http.StatusSeeOther {
		t.Errorf("after half an hour: %d", status)
	}
	b.login()
	if status, _ := b.post("/office/logout", nil); status != http.StatusSeeOther {
		t.Errorf("logging out: %d", status)
	}
	if status, _ := b.get("/office/people"); status != http.StatusSeeOther {
		t.Errorf("after logging out: %d", status)
	}
	b.login()
	if err := h.RemoveOfficer(t.Context(), "oakfield", "head", "smith"); err != nil {
		t.Fatal(err)
	}
	if status, _ := b.get("/office/people"); status != http.StatusSeeOther {
		t.Errorf("H11: a removed account still works: %d", status)
	}
}

func TestPasswordsCannotBeGuessed(t *testing.T) {
	h, c := newHub(t)
	b := officeOf(t, h)
	wrong := url.Values{"site": {"oakfield"}, "name": {"smith"}, "password": {"guess 1234"}}
	for range loginTries {
		if status, _ := b.post("/office/login", wrong); status != http.StatusForbidden {
			t.Fatalf("a wrong password: %d", status)
		}
	}
	if status := b.login(); status != http.StatusTooManyRequests {
		t.Errorf("after %d wrong ones: %d", loginTries, status)
	}
	c.move(loginPause)
	if status := b.login(); status != http.StatusSeeOther {
		t.Errorf("after the pause: %d", status)
	}
	for _, weak := range []string{"short1", "onlyletters", "1234567890"} {
		if err := h.AddOfficer(t.Context(), "oakfield", "jones", weak); err == nil {
			t.Errorf("H8: the password %q was accepted", weak)
		}
	}
}

func TestAnotherSitesPageCannotActForTheOffice(t *testing.T) {
	h, _ := newHub(t)
	id := addPupil(t, h, "Ada Byron")
	b := officeOf(t, h)
	b.login()
	b.header.Set("Sec-Fetch-Site", "cross-site")
	if status, _ := b.post("/office/people/"+string(id)+"/leave", nil); status != http.StatusForbidden {
		t.Errorf("a cross-origin request: %d", status)
	}
	b.header.Del("Sec-Fetch-Site")
	a, _ := b.do("GET", "/office/people", "", "")
	for header, want := range map[string]string{"Content-Security-Policy": "default-src 'self'", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
		if !strings.Contains(a.Header.Get(header), want) {
			t.Errorf("%s: %q", header, a.Header.Get(header))
		}
	}
}

func TestTheOfficesPages(t *testing.T) {
	h, _ := newHub(t)
	id := addPupil(t, h, "Ada <b>Byron</b>")
	terminals := serve(t, h.Handler(), h)
	x := joined(t, h, terminals, "oakfield", "till-1")
	x.sync(0)
	b := officeOf(t, h)
	b.login()
	person := "/office/people/" + string(id)
	if _, body := b.get(person); strings.Contains(body, "<b>Byron") || !strings.Contains(body, "permit") || !strings.Contains(body, "Parent One withdraws") {
		t.Errorf("the page of a person:\n%s", body)
	}
	if status, _ := b.post(person+"/withdraw", url.Values{"by": {"g_1"}, "form": {"written"}}); status != http.StatusSeeOther {
		t.Errorf("A12: withdrawing in one press: %d", status)
	}
	if _, body := b.get(person); !strings.Contains(body, `class="state erase"`) || !strings.Contains(body, "Not yet confirmed by till-1") {
		t.Errorf("D2: after the withdrawal:\n%s", body)
	}
	if _, body := b.get("/office/terminals"); !strings.Contains(body, `<span class="state erase">1</span>`) {
		t.Errorf("D2: the terminals:\n%s", body)
	}
	var answer register.Accepted
	x.ask("POST", "/v1/reports", register.Reports{Reports: []register.Report{
		{ID: "w1", Kind: register.ReportReceipt, Subject: id, At: start, Body: x.wipeReceipt(id, 3)}, {ID: "a1", Kind: register.ReportAlert, At: start, Body: "the card is full"}}}, &answer)
	_, body := b.get("/office/receipts")
	link := regexp.MustCompile(`/office/receipts/till-1/w1`).FindString(body)
	if status, text := b.get(link); status != http.StatusOK || !strings.HasPrefix(text, "Tillprint wipe receipt") {
		t.Errorf("downloading the receipt: %d %.80s", status, text)
	}
	if _, body := b.get("/office/school"); !strings.Contains(body, "the card is full") || !strings.Contains(body, "recorded withdrawal (written)") {
		t.Errorf("the school's page:\n%s", body)
	}
	form := url.Values{"by": {"g_1"}, "kind": {"consent"}, "form": {"written"}, "notice": {notice}, "evidence": {"form 77"}}
	if status, body := b.post(person+"/statement", form); status != http.StatusSeeOther {
		t.Errorf("recording a consent: %d %s", status, body)
	}
	form.Set("evidence", "")
	if status, body := b.post(person+"/statement", form); status != http.StatusUnprocessableEntity || !strings.Contains(body, "evidence") {
		t.Errorf("a consent without evidence: %d %s", status, body)
	}
	_, body = b.post(person+"/pin", nil)
	if !regexp.MustCompile(`<code class="pin">[0-9]{6}</code>`).MatchString(body) {
		t.Errorf("no PIN on its page:\n%s", body)
	}
	if _, body = b.post("/office/people", url.Values{"name": {"Cook"}, "class": {"adult"}}); !regexp.MustCompile(`<code class="pin">[0-9]{6}</code>`).MatchString(body) {
		t.Errorf("adding a person:\n%s", body)
	}
	if _, body = b.post("/office/terminals", url.Values{"name": {"till-2"}}); !strings.Contains(body, "tillprint-join:v1?") {
		t.Errorf("no join code:\n%s", body)
	}
	if status, _ := b.post("/office/terminals/order", url.Values{"name": {"till-1"}, "do": {"block"}}); status != http.StatusSeeOther {
		t.Errorf("blocking: %d", status)
	}
	if plan := register.NewPlan(x.sync(0), "till-1"); len(plan.Commands) != 1 || plan.Commands[0].Do != register.Block {
		t.Errorf("commands: %+v", plan.Commands)
	}
	if status, _ := b.post(person+"/leave", nil); status != http.StatusSeeOther {
		t.Errorf("leaving: %d", status)
	}
	b.header.Set("HX-Request", "true")
	if _, part := b.get("/office/people?q=cook"); strings.Contains(part, "<html") || !strings.Contains(part, "Cook") || strings.Contains(part, "Byron") {
		t.Errorf("the part that the script asks for:\n%s", part)
	}
	if status, js := b.get("/office/static/htmx.min.js"); status != http.StatusOK || len(js) < 10_000 {
		t.Errorf("the script: %d", status)
	}
}

// api asks the JSON API and wants a status.
func (b *browser) api(method, path string, in any, want int, out any) string {
	b.t.Helper()
	var body bytes.Buffer
	switch v := in.(type) {
	case nil:
	case string:
		body.WriteString(v)
	default:
		if err := json.NewEncoder(&body).Encode(v); err != nil {
			b.t.Fatal(err)
		}
	}
	a, text := b.do(method, "/office/api"+path, "application/json", body.String())
	if a.StatusCode != want {
		b.t.Fatalf("%s %s: %d %s, want %d", method, path, a.StatusCode, text, want)
	}
	if out != nil {
		if err := json.Unmarshal([]byte(text), out); err != nil {
			b.t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
	return text
}

func TestTheOfficesAPI(t *testing.T) {
	h, _ := newHub(t)
	b := newBrowser(t, serve(t, h.Office(), h))
	token, err := h.NewOfficeToken(t.Context(), "oakfield", "mis")
	if err != nil {
		t.Fatal(err)
	}
	b.header.Set("Authorization", "Bearer "+token)
	var added []Added
	b.api("POST", "/subjects/bulk", []NewSubject{pupil("Ada Byron"), pupil("Mary Shelley")}, 200, &added)
	var one Added
	b.api("POST", "/subjects", pupil("Emmy Noether"), 200, &one)
	var list []Listed
	if b.api("GET", "/subjects?q=noether", nil, 200, &list); len(list) != 1 || list[0].Subject != one.Subject {
		t.Errorf("found %+v", list)
	}
	b.api("POST", "/subjects", pupil("Élise Żak"), 200, nil)
	if b.api("GET", "/subjects?q=%C3%A9LISE%20%C5%BC", nil, 200, &list); len(list) != 1 || list[0].Name != "Élise Żak" {
		t.Errorf("case and accents: found %+v", list)
	}
	path := "/subjects/" + string(added[0].Subject)
	var d decided
	if b.api("POST", path+"/withdraw", `{"by":"g_1","written":true}`, 200, &d); d.Decision != consent.Erase {
		t.Errorf("after a withdrawal: %v", d.Decision)
	}
	s := withdrawal("g_1")
	s.Kind, s.Notice, s.Evidence, s.At = consent.Consent, notice, "form 9", start.Add(time.Second)
	b.api("POST", path+"/statements", s, 200, nil)
	b.api("POST", path+"/refuse", "{}", 200, &d)
	b.api("PATCH", path, `{"form":"9B","restricted":true}`, 200, nil)
	var detail Detail
	if b.api("GET", path, nil, 200, &detail); detail.Form != "9B" || len(detail.Statements) != 6 || detail.Statements[0].TakenBy != "mis" {
		t.Errorf("on record: %+v", detail)
	}
	b.api("POST", "/subjects/"+string(one.Subject)+"/leave", "{}", 200, nil)
	var pins []Added
	if b.api("POST", "/pins", fmt.Sprintf(`{"subjects":[%q]}`, added[1].Subject), 200, &pins); len(pins) != 1 || pins[0].PIN == added[1].PIN {
		t.Errorf("PINs %+v", pins)
	}
	var join struct{ Code string }
	b.api("POST", "/join", `{"name":"till-9"}`, 200, &join)
	if _, err := register.ParseJoinCode(join.Code); err != nil {
		t.Error(err)
	}
	var profile consent.Profile
	b.api("PUT", "/site/profile", permitting, 200, &profile)
	for _, get := range []string{"/site", "/terminals", "/receipts", "/reports", "/log"} {
		b.api("GET", get, nil, 200, nil)
	}
	refusals := map[string]struct {
		method, path, body string
		status             int
	}{
		"an unknown key":       {"POST", "/subjects", `{"name":"Ada","class":"adult","consent_default":"yes"}`, 422},
		"no JSON":              {"POST", "/subjects", `name=Ada`, 422},
		"two values":           {"POST", "/join", `{"name":"a"}{}`, 422},
		"an unknown subject":   {"GET", "/subjects/p_aaaaaaaaaaaaaaaaaaaaaaaaaa", "", 404},
		"no pseudonym at all":  {"GET", "/subjects/x", "", 404},
		"a command for none":   {"POST", "/terminals/nobody/command", `{"do":"block"}`, 404},
		"a stranger withdraws": {"POST", path + "/withdraw", `{"by":"g_9"}`, 404},
	}
	for name, r := range refusals {
		t.Run(name, func(t *testing.T) {
			if a, text := b.do(r.method, "/office/api"+r.path, "application/json", r.body); a.StatusCode != r.status || !strings.Contains(text, `"error"`) {
				t.Errorf("%d %s, want %d", a.StatusCode, text, r.status)
			}
		})
	}
	b.header.Set("Authorization", "Bearer "+token+"x")
	b.api("GET", "/subjects", nil, 401, nil)
}

// TestARequestForAccessOnThePages is entered by one person of the office and confirmed by another (G13).
func TestARequestForAccessOnThePages(t *testing.T) {
	h, c := newHub(t)
	id := addPupil(t, h, "Ada Byron")
	smith := officeOf(t, h)
	smith.login()
	if err := h.AddOfficer(t.Context(), "oakfield", "jones", "correct horse 9"); err != nil {
		t.Fatal(err)
	}
	jones := newBrowser(t, serve(t, h.Office(), h)) // the same hub, by another door
	if status, _ := jones.post("/office/login", url.Values{"site": {"oakfield"}, "name": {"jones"}, "password": {"correct horse 9"}}); status != http.StatusSeeOther {
		t.Fatal(status)
	}
	form := url.Values{"subject": {string(id)}, "requester": {"the pupil"}, "identity": {"known"}, "recipient": {"age1nonsense"}}
	if status, page := smith.post("/office/exports", form); status != http.StatusUnprocessableEntity || !strings.Contains(page, "age-keygen") {
		t.Errorf("a key that is none: %d", status)
	}
	key := ageKey(t)
	form.Set("recipient", " "+key.Recipient().String()+"\n")
	if status, _ := smith.post("/office/exports", form); status != http.StatusSeeOther {
		t.Fatalf("entering a request: %d", status)
	}
	c.move(time.Minute)
	list, err := h.Exports(t.Context(), "oakfield", id)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	path := "/office/exports/" + list[0].ID
	if _, page := smith.get("/office/exports"); !strings.Contains(page, "a second person has to") || strings.Contains(page, "Fetch") || strings.Contains(page, "Ada") {
		t.Errorf("G13: the page of who asked: %s", page)
	}
	if status, _ := smith.post(path+"/confirm", nil); status != http.StatusUnprocessableEntity {
		t.Errorf("G13: confirmed by who asked: %d", status)
	}
	if _, page := jones.get("/office/exports"); !strings.Contains(page, "<button>Confirm</button>") {
		t.Errorf("the second person's page has no button: %s", page)
	}
	if status, _ := jones.post(path+"/confirm", nil); status != http.StatusSeeOther {
		t.Errorf("confirming: %d", status)
	}
	status, bundle := smith.get(path + "/file")
	if status != http.StatusOK || !strings.Contains(opened(t, []byte(bundle), key.String()), "Ada Byron") {
		t.Errorf("fetching: %d", status)
	}
	if status, page := smith.get("/office/people/" + string(id) + "/history"); status != http.StatusOK || !strings.Contains(page, "office: confirmed an export") {
		t.Errorf("the history: %d %s", status, page)
	}
}

// TestPINsInABatch draws PINs for a form's pupils on the page, and shows them once.
func TestPINsInABatch(t *testing.T) {
	h, _ := newHub(t)
	ada, noah, other := addPupil(t, h, "Ada Byron"), addPupil(t, h, "Noah Ng"), addPupil(t, h, "Zoe Hall")
	b := officeOf(t, h)
	b.login()
	digits := regexp.MustCompile(`<code class="pin">([0-9]{6})</code>`)
	index := func(id consent.SubjectID) string {
		who, err := loadSubject(t.Context(), h.db, "oakfield", id)
		if err != nil {
			t.Fatal(err)
		}
		return string(who.person.pinIndex)
	}
	before, otherBefore := index(ada), index(other)
	ticked := url.Values{"subject": {string(noah), string(ada)}, "whom": {"ticked"}}
	if status, _ := b.post("/office/pins", ticked); status != http.StatusUnprocessableEntity || index(ada) != before {
		t.Errorf("drawn without being sure: %d", status)
	}
	ticked.Set("sure", "yes")
	status, page := b.post("/office/pins", ticked)
	if found := digits.FindAllStringSubmatch(page, -1); status != http.StatusOK || len(found) != 2 || found[0][1] == found[1][1] {
		t.Fatalf("PINs of two people: %d %s", status, page)
	}
	if strings.Index(page, "Ada") > strings.Index(page, "Noah") || strings.Contains(page, "Zoe") || index(ada) == before || index(other) != otherBefore {
		t.Error("the slips are of others, or not in their order")
	}
	if status, page := b.post("/office/pins", url.Values{"whom": {"found"}, "q": {"zoe"}, "sure": {"yes"}}); status != http.StatusOK || len(digits.FindAllString(page, -1)) != 1 || index(other) == otherBefore {
		t.Errorf("everybody found: %d", status)
	}
	if status, _ := b.post("/office/pins", url.Values{"whom": {"found"}, "q": {"nobody"}, "sure": {"yes"}}); status != http.StatusUnprocessableEntity {
		t.Errorf("nobody found: %d", status)
	}
	for _, path := range []string{"/office/people", "/office/people/" + string(ada), "/office/school"} {
		if _, page := b.get(path); digits.MatchString(page) {
			t.Errorf("%s shows a PIN", path)
		}
	}
}
