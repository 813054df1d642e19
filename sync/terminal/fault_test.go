package terminal

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/matcher/synth"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/sync/hub/hubtest"
	"github.com/tillprint/tillprint/sync/register"
)

// tampered changes what the hub answers on one path.
func tampered(path string, f func(status int, body []byte) (int, []byte)) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != path {
				h.ServeHTTP(w, r)
				return
			}
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			for k, v := range rec.Header() {
				w.Header()[k] = v
			}
			status, body := f(rec.Code, rec.Body.Bytes())
			w.WriteHeader(status)
			w.Write(body)
		})
	}
}

// key is the hub's register key, for records that only a broken or malicious hub could sign.
func (s *school) key() ed25519.PrivateKey {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "register.key"))
	if err != nil {
		s.t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		s.t.Fatal(err)
	}
	return key.(ed25519.PrivateKey)
}

// forge signs a batch of entries on top of a tree.
func (s *school) forge(tree register.Tree, head uint64, lease time.Time, entries ...register.Entry) []byte {
	s.t.Helper()
	b := register.Batch{After: tree.Size, Frontier: append(tree.Frontier[:0:0], tree.Frontier...)}
	for _, e := range entries {
		e.Seq = tree.Size + 1
		text, err := e.Marshal()
		if err != nil {
			s.t.Fatal(err)
		}
		tree.Append(text)
		b.Leaves = append(b.Leaves, register.Leaf{Entry: text})
	}
	root, err := tree.Root()
	if err != nil {
		s.t.Fatal(err)
	}
	signer, err := register.NewSigner(siteID, s.key())
	if err != nil {
		s.t.Fatal(err)
	}
	c := register.Checkpoint{Site: siteID, Size: tree.Size, Root: root, Time: time.Now().Add(time.Hour), Lease: lease, Head: max(head, tree.Size)}
	if b.Checkpoint, err = c.Sign(signer); err != nil {
		s.t.Fatal(err)
	}
	return b.Marshal()
}

func stranger(t *testing.T) consent.SubjectID {
	t.Helper()
	id, err := consent.NewSubjectID(strings.NewReader("stranger stranger"))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestI4NothingUnprovenIsApplied: whatever a proxy or a broken hub answers, no standing changes, the page says why in words, and
// the terminal recovers by itself when the hub does.
func TestI4NothingUnprovenIsApplied(t *testing.T) {
	s := newSchool(t)
	hall := s.join("hall").run()
	hall.await("current", hall.current)
	firstLoad := s.forge(register.Tree{}, 100, time.Now(), register.Entry{Kind: register.KindProfile, Profile: &register.Profile{Biometrics: true}})
	permit := register.Entry{Kind: register.KindSubject, Subject: &register.Subject{ID: stranger(t), Class: consent.Pupil, Decision: consent.Permit}}
	always := func(b []byte) func(int, []byte) (int, []byte) {
		return func(int, []byte) (int, []byte) { return http.StatusOK, b }
	}
	tests := []struct {
		name, says string
		fault      func(http.Handler) http.Handler
	}{
		{"signature broken", "not signed", tampered("/v1/register", func(c int, b []byte) (int, []byte) {
			i := bytes.LastIndexByte(b, '\n') - 8
			b[i] ^= 1
			return c, b
		})},
		{"cut short", "damaged", tampered("/v1/register", func(c int, b []byte) (int, []byte) { return c, b[:min(len(b), 10)] })},
		{"an entry changed", "contradicts", tampered("/v1/register", func(c int, b []byte) (int, []byte) {
			return c, bytes.Replace(b, []byte(`"decision":"permit"`), []byte(`"decision":"pause"`), 1)
		})},
		{"an entry left out", "incomplete", tampered("/v1/register", func(c int, b []byte) (int, []byte) {
			i := bytes.Index(b, []byte("\nentry "))
			return c, append(b[:i:i], b[i+1+bytes.IndexByte(b[i+1:], '\n'):]...)
		})},
		{"an earlier answer again", "incomplete", tampered("/v1/register", always(firstLoad))},
		{"another past, rightly signed", "contradicts", tampered("/v1/register", func(int, []byte) (int, []byte) {
			other := register.Tree{}
			for range hall.client.State().Applied {
				other.Append([]byte("another past"))
			}
			return http.StatusOK, s.forge(other, 0, time.Now().Add(time.Hour), permit)
		})},
		{"an empty register, rightly signed", "old backup", tampered("/v1/register", always(s.forge(register.Tree{}, 0, time.Now())))},
		{"an answer that does not end", "damaged", tampered("/v1/register", always(bytes.Repeat([]byte("x"), register.MaxBody+1)))},
		{"no sense at all", "damaged", tampered("/v1/register", always([]byte("<html>Welcome to the guest network</html>")))},
		{"a proxy's error page", "cannot answer", tampered("/v1/register", func(int, []byte) (int, []byte) { return http.StatusBadGateway, []byte("<html>") })},
		{"an error of the hub", "cannot answer", tampered("/v1/register", func(int, []byte) (int, []byte) {
			return http.StatusServiceUnavailable, []byte(`{"code":"busy","detail":"later"}`)
		})},
		{"a redirection", "cannot answer", func(http.Handler) http.Handler { return http.RedirectHandler("https://127.0.0.1:1/", http.StatusFound) }},
		{"nobody there", "cannot be reached", unplugged},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.break_(tt.fault)
			pupil := s.pupils(1)[0].Subject
			hall.await(tt.says, func() bool { return strings.Contains(hall.client.State().Problem, tt.says) })
			for _, id := range []consent.SubjectID{pupil, stranger(t)} {
				if st, known := hall.st.Standing(id); known {
					t.Errorf("applied all the same: %+v", st)
				}
			}
			s.break_(nil)
			hall.await("recovered", func() bool { ok, _ := hall.custody.Permitted(pupil, time.Now()); return ok && hall.current() })
		})
	}
}

func TestASlowHubIsGivenUp(t *testing.T) {
	s := newSchool(t)
	hall := s.join("hall")
	hall.client.patience = 50 * time.Millisecond
	s.break_(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	})
	hall.run()
	hall.await("too slow", func() bool { return strings.Contains(hall.client.State().Problem, "too slow") })
	s.break_(nil)
	hall.client.Wake()
	hall.await("recovered", func() bool { return hall.client.State().Reachable })
}

// A part of an update may take longer than any other answer: the terminal is not to break it off on a slow line.
func TestAPartOfAnUpdateMayTakeItsTime(t *testing.T) {
	s := newSchool(t)
	hall := s.join("hall")
	hall.client.patience = 50 * time.Millisecond
	begun, outlived := make(chan struct{}), make(chan struct{})
	outlive := sync.OnceFunc(func() { close(outlived) })
	t.Cleanup(outlive) // before the server's end, which waits for every answer
	s.break_(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/v1/update/file":
				close(begun)
				<-outlived
				io.WriteString(w, "part")
			case "/v1/update":
				<-r.Context().Done()
			default:
				h.ServeHTTP(w, r)
			}
		})
	})
	done := make(chan error, 1)
	path := filepath.Join(t.TempDir(), "boot.img.zst")
	go func() {
		done <- hall.client.FetchUpdate(t.Context(), &register.UpdateOffer{Sequence: 2}, "boot.img.zst", path, 4)
	}()
	<-begun
	if _, err := hall.client.Offer(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("another answer, asked for later: %v", err)
	}
	outlive()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); string(got) != "part" || err != nil {
		t.Errorf("fetched %q, %v", got, err)
	}
}

// TestI7TheLeaseEnds: without contact fingers stop, PINs go on; contact brings fingers back. While there is more to apply, no lease
// is renewed.
func TestI7TheLeaseEnds(t *testing.T) {
	s := newSchool(t)
	pupil := s.pupils(1)[0]
	hall := s.join("hall").run()
	hall.await("current", hall.current)
	pepper, err := hall.st.Secret(SecretPepper)
	if err != nil {
		t.Fatal(err)
	}

	s.break_(unplugged)
	hall.await("hub missed", func() bool { return !hall.client.State().Reachable })
	const week = 8 * 24 * time.Hour
	hall.ahead.Store(int64(week))
	if on, why := hall.custody.Fingers(); on || why == "" {
		t.Errorf("after the lease fingers are %v, %q", on, why)
	}
	if _, _, ok := hall.st.FindPIN(pinIndex(pepper, pupil.PIN)); !ok {
		t.Error("PINs have stopped with the fingers")
	}

	before := hall.client.State().Lease
	s.ahead.Store(int64(week))
	var behind atomic.Bool
	s.break_(tampered("/v1/register", func(c int, b []byte) (int, []byte) { // a hub that says "there is more" and does not give it
		batch, err := register.ParseBatch(b)
		if err != nil {
			return c, b
		}
		behind.Store(true)
		tree := register.Tree{Size: batch.After, Frontier: batch.Frontier}
		return c, s.forge(tree, batch.After+1, time.Now().Add(4*week))
	}))
	hall.await("behind", func() bool { st := hall.client.State(); return behind.Load() && st.Head > st.Applied })
	if got := hall.client.State().Lease; !got.Equal(before) {
		t.Errorf("the lease was renewed from %v to %v before all was applied", before, got)
	}
	s.break_(nil)
	hall.await("fingers are back", func() bool { on, _ := hall.custody.Fingers(); return on })
}

// TestA16UnpermittedTemplatesAreRefused: a template that comes without a permit is not stored, is reported, and leaves the mailbox; so
// does one that is not signed by a terminal of the site.
func TestA16UnpermittedTemplatesAreRefused(t *testing.T) {
	s := newSchool(t)
	pupil := s.pupils(1)[0].Subject
	hall, yard := s.join("hall").run(), s.join("yard")
	hall.await("current", hall.current)
	hallKey, err := hall.st.SigningKey()
	if err != nil {
		t.Fatal(err)
	}
	yardKey, err := yard.st.SigningKey()
	if err != nil {
		t.Fatal(err)
	}
	parcel, err := packParcel([][]byte{{1, 2, 3}})
	if err != nil {
		t.Fatal(err)
	}
	hall.await("hall knows yard", func() bool { p, err := hall.client.peers(); return err == nil && len(p) == 1 })
	peers, err := hall.client.peers()
	if err != nil {
		t.Fatal(err)
	}
	var lines []byte
	for _, e := range []struct {
		subject consent.SubjectID
		from    string
		key     ed25519.PrivateKey
		parcel  []byte
	}{
		{stranger(t), "hall", hallKey, parcel},      // nobody has consented
		{pupil, "hall", yardKey, parcel},            // not hall's signature
		{pupil, "nobody", hallKey, parcel},          // not a terminal of the site
		{pupil, "hall", hallKey, []byte("garbage")}, // not a parcel
		{pupil, "hall", hallKey, parcel},            // not a template
	} {
		env, err := register.Seal(register.Label{Purpose: register.PurposeTemplate, Site: siteID, From: e.from, To: "yard", Subject: e.subject, Finger: 2, Revision: 1},
			e.parcel, peers[0].Seal, e.key)
		if err != nil {
			t.Fatal(err)
		}
		b, err := env.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		lines = append(append(lines, b...), '\n')
	}
	var given atomic.Bool
	s.break_(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mail := r.URL.Path == "/v1/mailbox" && r.Method == http.MethodGet && r.Header.Get(register.HeaderTerminal) == "yard"
			if mail && given.CompareAndSwap(false, true) {
				w.Write(lines)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	yard.run()
	reported := func() int {
		all, err := s.hub.Reports(t.Context(), siteID, register.ReportRefusedTemplate, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	yard.await("reported", func() bool { return given.Load() && yard.current() && reported() == 5 })
	if n, err := yard.st.TemplateCount(); err != nil || len(n) != 0 || yard.gallery.Len() != 0 {
		t.Errorf("kept: %v, %v", n, err)
	}
}

// TestD1ErasedEvenIfPermittedAgain: withdrawn and given again while the terminal was away: what was taken before is gone.
func TestD1ErasedEvenIfPermittedAgain(t *testing.T) {
	s := newSchool(t)
	pupil := s.pupils(1)[0].Subject
	hall := s.join("hall").run()
	hall.await("current", hall.current)
	hall.enrol(pupil, 1, time.Now())
	hall.await("enrolled", func() bool { return hall.current() && hall.has(pupil) })
	s.break_(unplugged)
	hall.await("away", func() bool { return !hall.client.State().Reachable })
	if _, err := s.hub.Withdraw(t.Context(), siteID, "office", pupil, "mother", true); err != nil {
		t.Fatal(err)
	}
	again := said("mother", consent.Parent, consent.Consent, time.Now())
	if _, err := s.hub.AddStatement(t.Context(), siteID, "office", pupil, again); err != nil {
		t.Fatal(err)
	}
	s.break_(nil)
	hall.await("permitted again", func() bool { return hall.current() && hall.client.State().Applied > 4 })
	if ok, why := hall.custody.Permitted(pupil, time.Now()); !ok {
		t.Errorf("not permitted: %v", why)
	}
	if n, err := hall.st.TemplateCount(); err != nil || n[pupil] != 0 || hall.has(pupil) {
		t.Errorf("templates from before the withdrawal are still there: %v, %v", n, err)
	}
	if len(s.receipts(pupil, "hall")) != 1 {
		t.Error("no receipt for what was erased")
	}
}

func TestCommands(t *testing.T) {
	s := newSchool(t)
	hall := s.join("hall").run()
	hall.await("current", hall.current)
	order := func(do register.Action) {
		t.Helper()
		if err := s.hub.Command(t.Context(), siteID, "office", "hall", register.Command{Do: do}); err != nil {
			t.Fatal(err)
		}
	}
	fingers := func(want bool) func() bool {
		return func() bool { on, _ := hall.custody.Fingers(); return on == want }
	}
	order(register.Block)
	hall.await("blocked", fingers(false))
	order(register.Unblock)
	hall.await("unblocked", fingers(true))

	profile := s.profile()
	profile.Biometrics = false
	if err := s.hub.SetProfile(t.Context(), siteID, "office", profile); err != nil {
		t.Fatal(err)
	}
	hall.await("a site without biometrics", fingers(false))
	if err := s.hub.SetProfile(t.Context(), siteID, "office", s.profile()); err != nil {
		t.Fatal(err)
	}
	hall.await("and with again", func() bool { p, ok := hall.client.Profile(); return ok && p.Biometrics })
	if on, _ := hall.client.Fingers(); on || hall.client.Mode() != register.ModePIN {
		t.Errorf("a site that begins again has not commissioned its terminals again, but the mode is %s", hall.client.Mode())
	}
	if err := hubtest.Commission(t.Context(), s.hub, siteID, "hall", version); err != nil {
		t.Fatal(err)
	}
	hall.await("commissioned again", fingers(true))
	if p, ok := hall.client.Profile(); !ok || !p.Biometrics || p.School != "Oakfield" {
		t.Errorf("the profile is %+v, %v", p, ok)
	}

	order(register.Wipe)
	if err := waitEnd(hall); !errors.Is(err, ErrWiped) {
		t.Fatalf("Run ended with %v", err)
	}
	if _, err := store.Open(filepath.Join(hall.dir, "store"), hall.slot, store.Identity{}, hall.options()); !errors.Is(err, keyslot.ErrNoKey) {
		t.Errorf("the wiped store opens: %v", err)
	}
	alerts, err := s.hub.Reports(t.Context(), siteID, register.ReportAlert, "", 10)
	if err != nil || len(alerts) != 1 {
		t.Errorf("the hub was told %v, %v", alerts, err)
	}
}

func TestRemovedTerminalSaysSo(t *testing.T) {
	s := newSchool(t)
	hall := s.join("hall").run()
	hall.await("current", hall.current)
	if err := s.hub.RemoveTerminal(t.Context(), siteID, "office", "hall"); err != nil {
		t.Fatal(err)
	}
	hall.await("removed", func() bool { return hall.client.State().Removed })
}

// TestALargeSchoolLoads: more people than fit into one request, and a restart on top.
func TestALargeSchoolLoads(t *testing.T) {
	s := newSchool(t)
	people := s.pupils(register.MaxEnvelopes + 7)
	hall := s.join("hall").run()
	hall.await("current", hall.current)
	count := 0
	if err := hall.st.People(func(consent.SubjectID, store.Person) bool { count++; return true }); err != nil {
		t.Fatal(err)
	}
	if count != len(people) {
		t.Errorf("%d of %d people arrived", count, len(people))
	}
	hall.restart()
	hall.run()
	more := s.pupils(1)[0].Subject
	hall.await("goes on after a restart", func() bool { _, err := hall.st.Person(more); return err == nil && hall.current() })
}

// TestPhotosFillMoreThanOneAnswer: a hundred photos are more than one answer may hold; nobody is left out.
func TestPhotosFillMoreThanOneAnswer(t *testing.T) {
	s := newSchool(t)
	s.photo = append([]byte("\xff\xd8\xff"), make([]byte, 64<<10-3)...)
	people := s.pupils(100)
	hall := s.join("hall").run()
	hall.await("current", hall.current)
	for _, who := range people {
		if p, err := hall.st.Person(who.Subject); err != nil || len(p.Photo) != 64<<10 {
			t.Fatalf("a photo of %d bytes, %v", len(p.Photo), err)
		}
	}
}

// TestManyFingersTravelInFewRequests: a school's enrolments reach a terminal that joins later a mailbox at a time, not one by one,
// and a second copy of everything changes nothing.
func TestManyFingersTravelInFewRequests(t *testing.T) {
	s := newSchool(t)
	people := s.pupils(register.MaxEnvelopes + 30)
	hall := s.join("hall").run()
	hall.await("current", hall.current)
	var posts, taken atomic.Int64
	kept := make(chan struct{}) // closed when all fingers wait: how many requests there are must not hang on how fast this disk is
	allKept := sync.OnceFunc(func() { close(kept) })
	defer allKept()
	s.break_(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/v1/mailbox" && r.Method == http.MethodPost:
				<-kept
				posts.Add(1)
			case r.URL.Path == "/v1/mailbox/taken":
				taken.Add(1)
			}
			h.ServeHTTP(w, r)
		})
	})
	yard := s.join("yard").run()
	yard.await("yard is current", yard.current)
	for i, p := range people {
		hall.keep(p.Subject, uint64(i), time.Now())
	}
	allKept()
	hall.client.Wake()
	all := func() bool { return len(yard.gallery.Subjects()) == len(people) }
	yard.await("yard knows all fingers", all)
	if n := posts.Load(); n > 6 {
		t.Errorf("%d requests for %d fingers", n, len(people))
	}
	if n := taken.Load(); n > 6 {
		t.Errorf("%d requests to empty the mailbox", n)
	}
	if _, err := hall.st.Enqueue(store.Item{Kind: itemIntroduce, Text: "yard"}); err != nil {
		t.Fatal(err)
	}
	hall.client.Wake()
	yard.await("the copies are out of the way", func() bool { return hall.current() && yard.current() && s.waiting(t, "yard") == 0 })
	if n, err := yard.st.TemplateCount(); err != nil || len(n) != len(people) || n[people[0].Subject] != 2 {
		t.Errorf("%d subjects, %v", len(n), err)
	}
}

func TestPauseGrowsAndObeys(t *testing.T) {
	var asked []time.Duration
	fires := make(chan time.Time)
	close(fires)
	c := &Client{o: Config{Jitter: func() float64 { return 0.5 }, After: func(d time.Duration) <-chan time.Time { asked = append(asked, d); return fires }}}
	for tries := range 8 {
		c.pause(t.Context(), nil, tries, nil)
	}
	c.pause(t.Context(), nil, 0, &failure{after: 20 * time.Second})
	s := time.Second
	if want := []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 30 * s, 30 * s, 30 * s, 20 * s}; !cmp.Equal(asked, want) {
		t.Errorf("paused %v, want %v", asked, want)
	}
}

func FuzzOpenParcel(f *testing.F) {
	good, err := packParcel([][]byte{{1, 2, 3}, {4}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{1, 1, 255, 255, 0})
	f.Add([]byte{1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		templates, err := openParcel(b)
		if err != nil {
			return
		}
		if again, err := packParcel(templates); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("packs again as %x, %v", again, err)
		}
	})
}

func TestReportsKeepTheirNames(t *testing.T) {
	it := store.Item{ID: 3, Kind: store.ItemRefusal, Subject: stranger(t), At: time.Now(), Text: "till-lady"}
	r := asReport(it, 7)
	if r.Operator != "till-lady" || r.Body != "" || r.Seq != 7 || r.Check() != nil {
		t.Errorf("got %+v", r)
	}
	later := it
	later.At = it.At.Add(time.Nanosecond)
	if asReport(it, 9).ID != r.ID || asReport(later, 7).ID == r.ID {
		t.Error("a report's name must follow its content and nothing else")
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}

// TestA16TemplatesForASiteWithoutBiometrics: one that comes all the same, rightly sealed and signed, is refused and reported.
func TestA16TemplatesForASiteWithoutBiometrics(t *testing.T) {
	s := newSchool(t)
	pupil := s.pupils(1)[0].Subject
	hall, yard := s.twoTills()
	hall.await("hall knows yard", func() bool { p, err := hall.client.peers(); return err == nil && len(p) == 1 })
	peers, err := hall.client.peers()
	if err != nil {
		t.Fatal(err)
	}
	key, err := hall.st.SigningKey()
	if err != nil {
		t.Fatal(err)
	}
	data, err := synth.Template(1).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	parcel, err := packParcel([][]byte{data})
	if err != nil {
		t.Fatal(err)
	}
	env, err := register.Seal(register.Label{Purpose: register.PurposeTemplate, Site: siteID, From: hall.id.Terminal, To: yard.id.Terminal, Subject: pupil, Finger: 2, Revision: 1},
		parcel, peers[0].Seal, key)
	if err != nil {
		t.Fatal(err)
	}
	line, err := env.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	line = append(line, '\n')
	off := s.profile()
	off.Biometrics = false
	if err := s.hub.SetProfile(t.Context(), siteID, "office", off); err != nil {
		t.Fatal(err)
	}
	yard.await("off", func() bool { return yard.current() && !yard.custody.Biometrics() })
	yard.stopAll()
	var given, taken atomic.Bool
	s.break_(func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mail := strings.HasPrefix(r.URL.Path, "/v1/mailbox") && r.Header.Get(register.HeaderTerminal) == yard.id.Terminal
			switch {
			case mail && r.Method == http.MethodPost:
				taken.Store(true)
			case mail && !taken.Load(): // as the hub does; the first may be a question of the client that has just stopped
				given.Store(true)
				w.Write(line)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	yard.open() // a start looks into the mailbox
	yard.run()
	yard.await("reported", func() bool {
		all, err := s.hub.Reports(t.Context(), siteID, register.ReportRefusedTemplate, pupil, 10)
		return err == nil && len(all) == 1 && given.Load() && yard.current()
	})
	if n := yard.st.FingerKeys(); n != 0 || yard.gallery.Len() != 0 {
		t.Errorf("kept: %d keys, %d in the gallery", n, yard.gallery.Len())
	}
}
