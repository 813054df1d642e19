package terminal

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/synth"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/custody"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/store/pin"
	"github.com/tillprint/tillprint/sync/hub"
	"github.com/tillprint/tillprint/sync/hub/hubtest"
	"github.com/tillprint/tillprint/sync/register"
)

const (
	siteID  = "oakfield"
	version = "notice-1"
)

// school is a real hub behind a real TLS listener. fault, if set, stands between the two.
type school struct {
	t      testing.TB
	hub    *hub.Hub
	dir    string // the hub's
	url    string
	hangUp func()
	fault  atomic.Pointer[func(http.Handler) http.Handler]
	ahead  atomic.Int64 // by how much the hub's clock is ahead
	photo  []byte       // of the next pupils
}

func scratch(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "tillprint-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func newSchool(t testing.TB) *school {
	t.Helper()
	s := &school{t: t}
	var handler atomic.Pointer[http.Handler]
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := *handler.Load()
		if f := s.fault.Load(); f != nil {
			h = (*f)(h)
		}
		h.ServeHTTP(w, r)
	}))
	s.hangUp = server.CloseClientConnections
	s.url = "https://" + server.Listener.Addr().String()
	s.dir = scratch(t)
	if err := hub.Init(s.dir, []string{"127.0.0.1"}, rand.Reader, time.Now()); err != nil {
		t.Fatal(err)
	}
	var err error
	s.hub, err = hub.Open(t.Context(), hub.Config{Dir: s.dir, Addresses: []string{s.url}, PIN: hub.Cost{Passes: 1, KiB: 8, Threads: 1},
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }})
	if err != nil {
		t.Fatal(err)
	}
	real := s.hub.Handler()
	handler.Store(&real)
	server.TLS = s.hub.TLS()
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(func() { s.hub.Close() })
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	err = s.hub.AddSite(t.Context(), hub.Site{ID: siteID, Name: "Oakfield", Profile: s.profile()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *school) profile() consent.Profile {
	return consent.Profile{Biometrics: true, Purpose: consent.CanteenIdentification, Modality: consent.Finger, Notices: []string{version}, GraceDays: 14}
}

// break_ puts a fault between terminals and the hub; nil takes it away. Requests that are held end, so that the next ones meet it.
func (s *school) break_(f func(http.Handler) http.Handler) {
	if f == nil {
		s.fault.Store(nil)
	} else {
		s.fault.Store(&f)
	}
	s.hangUp()
}

// unplugged is a hub that is not there.
func unplugged(http.Handler) http.Handler {
	return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
}

func said(by string, c consent.Capacity, k consent.Kind, when time.Time) consent.Statement {
	return consent.Statement{By: by, Capacity: c, Kind: k, Form: consent.Written, At: when, Purpose: consent.CanteenIdentification,
		Modality: consent.Finger, Notice: version, Evidence: "doc:1", TakenBy: "office"}
}

// pupils adds n pupils whose mother has consented.
func (s *school) pupils(n int) []hub.Added {
	s.t.Helper()
	yesterday := time.Now().Add(-24 * time.Hour)
	var list []hub.NewSubject
	for i := range n {
		list = append(list, hub.NewSubject{Class: consent.Pupil, Eighteenth: consent.DateOf(time.Now()).Anniversary(5), Name: fmt.Sprintf("Pupil %d", i), Form: "7A", PIN: true,
			Responsible: []hub.Adult{{Responsible: consent.Responsible{ID: "mother", Capacity: consent.Parent, ParentalResponsibility: true}, Name: "Mother"}},
			Photo:       s.photo,
			Statements:  []consent.Statement{said("mother", consent.Parent, consent.Notified, yesterday.Add(-time.Hour)), said("mother", consent.Parent, consent.Consent, yesterday)}})
		list[i].Statements[1].Evidence = fmt.Sprintf("doc:%d", i)
	}
	added, err := s.hub.AddSubjects(s.t.Context(), siteID, "office", list)
	if err != nil {
		s.t.Fatal(err)
	}
	return added
}

// till is a terminal of the school: real store, real custody, real gallery.
type till struct {
	t       testing.TB
	id      store.Identity
	dir     string
	slot    keyslot.Slot
	st      *store.Store
	gallery *matcher.Gallery
	custody *custody.Custody
	client  *Client
	stop    func() error
	ended   chan error   // what Run returned, then closed
	ahead   atomic.Int64 // by how much its clock is ahead
}

func (s *school) join(name string) *till { return s.joinAs(name, func(*till) {}) }

// twoTills joins and runs two, and waits until both are up to date.
func (s *school) twoTills() (a, b *till) {
	s.t.Helper()
	a, b = s.join("till-1").run(), s.join("till-2").run()
	a.await("the register at till-1", a.current)
	b.await("the register at till-2", b.current)
	return a, b
}

// joinAs joins and commissions a terminal whose surroundings prepare has changed.
func (s *school) joinAs(name string, prepare func(*till)) *till {
	s.t.Helper()
	tl := s.justJoin(name, prepare)
	if err := hubtest.Commission(s.t.Context(), s.hub, siteID, tl.id.Terminal, version); err != nil {
		s.t.Fatal(err)
	}
	return tl
}

// justJoin joins one that begins in mode off.
func (s *school) justJoin(name string, prepare func(*till)) *till {
	s.t.Helper()
	code, err := s.hub.NewJoinCode(s.t.Context(), siteID, "office", name)
	if err != nil {
		s.t.Fatal(err)
	}
	tl := &till{t: s.t, dir: scratch(s.t), slot: &keyslot.Memory{Rand: rand.Reader}}
	prepare(tl)
	if tl.st, err = Join(s.t.Context(), code, "", filepath.Join(tl.dir, "store"), tl.slot, tl.options()); err != nil {
		s.t.Fatal(err)
	}
	tl.id = tl.st.Identity()
	tl.prepare()
	return tl
}

func (tl *till) options() store.Options {
	return store.Options{Now: func() time.Time { return time.Now().Add(time.Duration(tl.ahead.Load())) }}
}

// prepare builds what stands on an open store, as a start of the daemon does.
func (tl *till) prepare() {
	tl.t.Helper()
	var err error
	tl.gallery = matcher.NewGallery()
	if tl.custody, err = custody.Open(tl.st, tl.gallery); err != nil {
		tl.t.Fatal(err)
	}
	if err := tl.custody.Load(tl.t.Context()); err != nil {
		tl.t.Fatal(err)
	}
	tl.client, err = New(Config{Store: tl.st, Custody: tl.custody, Version: "test", Log: slog.New(slog.DiscardHandler),
		After: func(d time.Duration) <-chan time.Time { return time.After(d / 100) }, Wait: time.Second})
	if err != nil {
		tl.t.Fatal(err)
	}
}

func pinIndex(pepper []byte, digits string) []byte { return pin.Index(pepper, []byte(digits)) }

// waitEnd waits until Run ends by itself.
func waitEnd(tl *till) error { return <-tl.ended }

// run starts the client; it ends with stop or with the test.
func (tl *till) run() *till {
	ctx, cancel := context.WithCancel(context.Background())
	tl.ended = make(chan error, 1)
	client, ended := tl.client, tl.ended
	go func() { ended <- client.Run(ctx); close(ended) }()
	tl.stop = func() error { cancel(); return <-ended }
	tl.t.Cleanup(func() { tl.stop() })
	return tl
}

// restart closes the store and opens it again, as a reboot does.
func (tl *till) restart() {
	tl.t.Helper()
	tl.stopAll()
	tl.open()
}

// await waits until cond holds, looking again whenever the client's state changes.
func (tl *till) await(what string, cond func() bool) {
	tl.t.Helper()
	guard := time.After(2 * time.Minute) // only against waiting for ever
	for {
		changed := tl.client.Changed()
		if cond() {
			return
		}
		select {
		case <-changed:
		case <-guard:
			tl.t.Fatalf("%s: never; state %+v", what, tl.client.State())
		}
	}
}

func (tl *till) current() bool {
	s := tl.client.State()
	return s.Reachable && s.Applied > 0 && s.Applied == s.Head && s.Pending == 0 && s.Problem == ""
}

func (tl *till) enrol(id consent.SubjectID, seed uint64, when time.Time) {
	tl.t.Helper()
	tl.keep(id, seed, when)
	tl.client.Wake()
}

// keep enrols without telling the client, as when many are enrolled one after the other.
func (tl *till) keep(id consent.SubjectID, seed uint64, when time.Time) {
	tl.t.Helper()
	data, err := synth.Template(seed).MarshalBinary()
	if err != nil {
		tl.t.Fatal(err)
	}
	var records []store.TemplateRecord
	for range 2 {
		records = append(records, store.TemplateRecord{Subject: id, Finger: 2, Data: data, Enrolled: when})
	}
	if err := tl.custody.Enrol(tl.t.Context(), records); err != nil {
		tl.t.Fatal(err)
	}
}

// waiting is how many templates lie in a terminal's mailbox.
func (s *school) waiting(t *testing.T, terminal string) int {
	t.Helper()
	all, err := s.hub.Terminals(t.Context(), siteID)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range all {
		if st.Terminal == terminal {
			return st.Mail
		}
	}
	return 0
}

func (tl *till) has(id consent.SubjectID) bool { return tl.gallery.Has(string(id)) }

func (s *school) receipts(id consent.SubjectID, from string) []hub.Report {
	s.t.Helper()
	all, err := s.hub.Reports(s.t.Context(), siteID, register.ReportReceipt, id, 100)
	if err != nil {
		s.t.Fatal(err)
	}
	var out []hub.Report
	for _, r := range all {
		if r.Terminal == from {
			out = append(out, r)
		}
	}
	return out
}

// TestASchoolDay is the whole path against the real hub: joining, people, PINs, a finger enrolled at one terminal and known at the
// other, a withdrawal that wipes both, and their receipts.
func TestASchoolDay(t *testing.T) {
	s := newSchool(t)
	people := s.pupils(3)
	hall, yard := s.join("hall").run(), s.join("yard").run()
	hall.await("hall is current", hall.current)
	yard.await("yard is current", yard.current)

	pepper, err := yard.st.Secret(SecretPepper)
	if err != nil {
		t.Fatal(err)
	}
	if id, _, ok := yard.st.FindPIN(pinIndex(pepper, people[1].PIN)); !ok || id != people[1].Subject {
		t.Errorf("the PIN of %s finds %s, %v", people[1].Subject, id, ok)
	}
	if p, err := hall.st.Person(people[2].Subject); err != nil || p.Name != "Pupil 2" || p.Class != consent.Pupil {
		t.Errorf("got %+v, %v", p, err)
	}
	if on, why := hall.custody.Fingers(); !on {
		t.Errorf("fingers are off: %s", why)
	}

	hall.enrol(people[0].Subject, 1, time.Now())
	yard.await("yard knows the finger", func() bool { return yard.has(people[0].Subject) })

	late := s.join("late").run()
	late.await("a terminal that joins later is introduced", func() bool { return late.has(people[0].Subject) })

	if _, err := s.hub.Withdraw(t.Context(), siteID, "office", people[0].Subject, "mother", true); err != nil {
		t.Fatal(err)
	}
	for _, tl := range []*till{hall, yard, late} {
		name := tl.st.Identity().Terminal
		var receipts []hub.Report
		tl.await("the withdrawal is confirmed", func() bool {
			receipts = s.receipts(people[0].Subject, name)
			return !tl.has(people[0].Subject) && len(receipts) == 1
		})
		if tl.st.HasFingerKey(people[0].Subject) {
			t.Errorf("%s still has the key", name)
		}
		if _, err := audit.VerifyReceipt(receipts[0].Body, receipts[0].Key); err != nil {
			t.Errorf("the receipt of %s: %v", name, err)
		}
	}
	if _, _, ok := hall.st.FindPIN(pinIndex(pepper, people[0].PIN)); !ok {
		t.Error("lunch by PIN has stopped with the finger")
	}
	states, err := s.hub.Terminals(t.Context(), siteID)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range states {
		if st.Terminal == "hall" && (st.Status.Version != "test" || st.Status.Pupils != 3) {
			t.Errorf("the hub counts %+v", st.Status)
		}
	}
	if err := hall.stop(); err != nil {
		t.Errorf("Run ended with %v", err)
	}
}

// TestRefusalWithoutHub: a pupil's no at the till while the hub is away takes effect at once and reaches the hub, also over a restart.
func TestRefusalWithoutHub(t *testing.T) {
	s := newSchool(t)
	pupil := s.pupils(1)[0].Subject
	hall := s.join("hall").run()
	hall.await("current", hall.current)
	hall.enrol(pupil, 1, time.Now())
	hall.await("enrolled", func() bool { return hall.current() && hall.has(pupil) })

	s.break_(unplugged)
	if _, err := hall.custody.Refuse(t.Context(), pupil, "till-lady"); err != nil {
		t.Fatal(err)
	}
	hall.client.Wake()
	hall.await("the hub is missed", func() bool { st := hall.client.State(); return !st.Reachable && st.Problem != "" && st.Pending > 0 })
	hall.restart()
	hall.run()
	hall.await("still missed", func() bool { return hall.client.State().Problem != "" })
	if hall.has(pupil) {
		t.Fatal("the finger is back after a restart")
	}
	s.break_(nil)
	hall.await("delivered", hall.current)
	detail, err := s.hub.Subject(t.Context(), siteID, pupil)
	if err != nil {
		t.Fatal(err)
	}
	if detail.Standing.Decision != consent.Erase {
		t.Errorf("the hub decides %v after the refusal", detail.Standing.Decision)
	}
	if n := len(s.receipts(pupil, "hall")); n == 0 {
		t.Error("no receipt at the hub")
	}

	// The pupil changes their mind, and says so at the office.
	yes := said("", consent.Child, consent.Consent, time.Now().Add(time.Second))
	yes.At = time.Now()
	if _, err := s.hub.AddStatement(t.Context(), siteID, "office", pupil, yes); err != nil {
		t.Fatal(err)
	}
	hall.await("permitted again", func() bool { ok, _ := hall.custody.Permitted(pupil, time.Now()); return ok })
	if hall.has(pupil) {
		t.Error("the finger has come back by itself")
	}
}

func TestJoinSaysWhatIsWrong(t *testing.T) {
	s := newSchool(t)
	code, err := s.hub.NewJoinCode(t.Context(), siteID, "office", "hall")
	if err != nil {
		t.Fatal(err)
	}
	try := func(code string) error {
		st, err := Join(t.Context(), code, "", filepath.Join(scratch(t), "store"), &keyslot.Memory{Rand: rand.Reader}, store.Options{})
		if err == nil {
			st.Close()
		}
		return err
	}
	c, err := register.ParseJoinCode(code)
	if err != nil {
		t.Fatal(err)
	}
	c.Pin[0]++
	if err := try(c.String()); !errors.Is(err, ErrImpostor) {
		t.Errorf("another hub: got %v", err)
	}
	c.Pin[0]--
	c.Hubs = []string{"https://127.0.0.1:1", s.url}
	if err := try(c.String()); err != nil {
		t.Errorf("the second address is not tried: %v", err)
	}
	if err := try(code); !refusedWith(err, register.CodeToken) {
		t.Errorf("a code used twice: got %v", err)
	}
	c.Hubs, c.Site = []string{s.url}, "elm"
	if err := try(c.String()); !errors.Is(err, ErrJoinRefused) {
		t.Errorf("a code of another site: got %v", err)
	}
	if err := try("hello"); err == nil {
		t.Error("no join code at all: accepted")
	}
}

func TestKeysOfHubAndStoreAgree(t *testing.T) {
	s := newSchool(t)
	hall := s.join("hall")
	defer hall.st.Close()
	states, err := s.hub.Terminals(t.Context(), siteID)
	if err != nil {
		t.Fatal(err)
	}
	if states[0].Key != hall.st.VerifierKey() {
		t.Errorf("the hub would verify receipts with %s, the store signs with %s", states[0].Key, hall.st.VerifierKey())
	}
}

// TestLostRecordsAreFetchedAgain: the records file is a cache of the hub; who the hub is stands in the key table.
func TestLostRecordsAreFetchedAgain(t *testing.T) {
	s := newSchool(t)
	pupil := s.pupils(1)[0].Subject
	hall := s.join("hall").run()
	hall.await("current", hall.current)
	if err := hall.stop(); err != nil {
		t.Fatal(err)
	}
	if err := hall.st.Close(); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(hall.dir, "store")
	if err := os.Remove(filepath.Join(dir, "records.db")); err != nil {
		t.Fatal(err)
	}
	var err error
	if hall.st, err = store.Open(dir, hall.slot, hall.id, hall.options()); err != nil {
		t.Fatal(err)
	}
	hall.prepare()
	if on, _ := hall.custody.Fingers(); on {
		t.Error("fingers are on without a lease")
	}
	hall.run()
	// The audit log went with the records: the hub notices, and has everything fetched once more.
	hall.await("everybody is back", func() bool {
		_, err := hall.st.Person(pupil)
		permitted, _ := hall.custody.Permitted(pupil, time.Now())
		return err == nil && permitted && hall.current()
	})
}
