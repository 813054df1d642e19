package terminald

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/filesystem/fat32"
	"golang.org/x/mod/sumdb/note"

	"github.com/tillprint/tillprint/deploy/release"
	"github.com/tillprint/tillprint/deploy/update"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/custody"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/sync/hub"
	"github.com/tillprint/tillprint/sync/register"
	"github.com/tillprint/tillprint/sync/terminal"
)

// fleet is a hub with a version to stage, behind a wire that a test can cut.
type fleet struct {
	t      *testing.T
	hub    *hub.Hub
	folder string // the bundle's
	signer note.Signer
	key    note.Verifier
	left   atomic.Int64           // bytes of update files until the wire is cut; below 0 it never is
	sent   atomic.Int64           // bytes of update files that went over it
	away   atomic.Bool            // the hub answers nobody
	asked  atomic.Pointer[func()] // called when a file is asked for; nil for nothing
	told   chan struct{}          // capacity 1: a status has come
}

// cutting answers as the hub does, until its share of bytes is used up.
type cutting struct {
	http.ResponseWriter
	f *fleet
}

func (c cutting) Write(b []byte) (int, error) {
	if c.f.left.Load() >= 0 && c.f.left.Add(-int64(len(b))) < 0 {
		c.f.left.Store(0)
		panic(http.ErrAbortHandler)
	}
	c.f.sent.Add(int64(len(b)))
	return c.ResponseWriter.Write(b)
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{t: t, folder: t.TempDir(), told: make(chan struct{}, 1)}
	f.left.Store(-1)
	secret, public, err := note.GenerateKey(rand.Reader, "tillprint-release")
	must(t, err)
	f.signer, err = note.NewSigner(secret)
	must(t, err)
	f.key, err = note.NewVerifier(public)
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	dir := t.TempDir()
	must(t, hub.Init(dir, []string{"localhost"}, rand.Reader, time.Now()))
	f.hub, err = hub.Open(t.Context(), hub.Config{Dir: dir, Addresses: []string{"https://" + l.Addr().String()}, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	handler := f.hub.Handler()
	server := &http.Server{TLSConfig: f.hub.TLS(), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if f.away.Load() {
				panic(http.ErrAbortHandler)
			}
			if strings.HasPrefix(r.URL.Path, "/v1/update/file") && strings.Contains(r.URL.RawQuery, "img.zst") {
				w = cutting{w, f}
				if asked := f.asked.Load(); asked != nil {
					(*asked)()
				}
			}
			handler.ServeHTTP(w, r)
			if r.URL.Path == "/v1/status" {
				select {
				case f.told <- struct{}{}:
				default:
				}
			}
		})}
	go server.ServeTLS(l, "", "")
	t.Cleanup(func() { server.Close(); f.hub.Close() })
	must(t, f.hub.AddSite(t.Context(), hub.Site{ID: "oakfield", Name: "Oakfield School"}))
	return f
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bundle makes a version that cannot be packed small, so that it takes several parts, and brings it to the hub.
func (f *fleet) bundle(sequence uint64, spoil func(folder string)) {
	f.t.Helper()
	r := release.Release{Kind: release.Bundle, Version: fmt.Sprintf("v%d", sequence), Sequence: sequence, Files: packed(f.t, f.folder)}
	statement, err := r.Sign(f.signer)
	must(f.t, err)
	must(f.t, os.WriteFile(filepath.Join(f.folder, update.Statement), statement, 0o600))
	if spoil != nil {
		spoil(f.folder)
	}
	must(f.t, f.hub.AddBundle(f.t.Context(), hub.Bundle{Version: r.Version, Sequence: sequence}, f.folder))
}

// packOnce packs the files of a version, which takes seconds, for all tests.
var packOnce = sync.OnceValues(func() (all map[string][]byte, err error) {
	dir, err := os.MkdirTemp("", "tillprint-bundle-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	root := make([]byte, 5<<20)
	if _, err := rand.Read(root); err != nil {
		return nil, err
	}
	boot, err := bootImage(dir)
	if err != nil {
		return nil, err
	}
	defer boot.Close()
	all = map[string][]byte{}
	for name, from := range map[string]io.Reader{release.RootFile: bytes.NewReader(root), release.BootFile: boot} {
		path := filepath.Join(dir, name)
		f, err := release.Pack(path, name, from)
		if err != nil {
			return nil, err
		}
		if all[name], err = os.ReadFile(path); err != nil {
			return nil, err
		}
		sums[name] = f
	}
	return all, nil
})

var sums = map[string]release.File{} // written by packOnce

// packed puts the packed files into a folder.
func packed(t *testing.T, folder string) (files []release.File) {
	t.Helper()
	all, err := packOnce()
	must(t, err)
	for name, b := range all {
		must(t, os.WriteFile(filepath.Join(folder, name), b, 0o600))
		files = append(files, sums[name])
	}
	return files
}

const bootSize = 34 << 20 // the smallest FAT32, about

func bootImage(dir string) (f *os.File, err error) {
	if f, err = os.Create(filepath.Join(dir, "boot")); err != nil {
		return nil, err
	}
	if err := f.Truncate(bootSize); err != nil {
		return nil, err
	}
	fs, err := fat32.Create(file.New(f, false), bootSize, 0, 512, "TILLPRINT", true)
	if err != nil {
		return nil, err
	}
	for _, s := range []update.Slot{update.A, update.B} {
		to, err := fs.OpenFile("/cmdline-"+string(s)+".txt", os.O_CREATE|os.O_RDWR)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(to, "tillprint.disk=54494c4c tillprint.slot=%s ro\n", string(s))
		if err := to.Close(); err != nil {
			return nil, err
		}
	}
	_, err = f.Seek(0, io.SeekStart)
	return f, err
}

// member is one terminal of the fleet, with a card of files.
type member struct {
	*updater
	f      *fleet
	name   string
	on     update.Card
	client *terminal.Client
}

func (f *fleet) member(name string) *member {
	t := f.t
	t.Helper()
	code, err := f.hub.NewJoinCode(t.Context(), "oakfield", "office", name)
	must(t, err)
	c := Default()
	c.Store.Dir, c.Keyslot.Kind = filepath.Join(t.TempDir(), "store"), keyslot.KindFile
	if _, err := Join(t.Context(), c, code, name); err != nil {
		t.Fatal(err)
	}
	st, err := openStore(c, slog.New(slog.DiscardHandler), store.Options{})
	must(t, err)
	keeper, err := custody.Open(st, matcher.NewGallery())
	must(t, err)
	m := &member{f: f, name: name, on: cardOfFiles(t)}
	m.client, err = terminal.New(terminal.Config{Store: st, Custody: keeper, Log: slog.New(slog.DiscardHandler), Wait: time.Second,
		About: func(s *register.Status) {
			if u := m.state.Load(); u != nil {
				s.Update = *u
			}
		}})
	must(t, err)
	m.updater = &updater{c: c, hub: m.client, card: func() (update.Card, error) { return m.on, nil }, key: func() (note.Verifier, error) { return f.key, nil },
		now: func() time.Time { return time.Date(2026, 11, 28, 22, 0, 0, 0, time.UTC) }, boot: bootID(), log: slog.New(slog.DiscardHandler)}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.client.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done; st.Close() })
	return m
}

func cardOfFiles(t *testing.T) update.Card {
	t.Helper()
	dir := t.TempDir()
	card := update.Card{Partition: func(n int) string { return filepath.Join(dir, fmt.Sprint(n)) }, Autoboot: filepath.Join(dir, "autoboot.txt"), Running: update.A, Sequence: 10}
	for n, size := range map[int]int64{2: bootSize, 3: bootSize, 5: 8 << 20, 6: 8 << 20} {
		must(t, os.WriteFile(card.Partition(n), nil, 0o600))
		must(t, os.Truncate(card.Partition(n), size))
	}
	text, err := os.ReadFile("../../../deploy/image/boot/autoboot.txt")
	must(t, err)
	must(t, os.WriteFile(card.Autoboot, text, 0o600))
	return card
}

// looks at the hub's offer once, and waits until the hub knows how that went.
func (m *member) looks(step, words string) {
	m.f.t.Helper()
	m.look(m.f.t.Context())
	s := *m.state.Load()
	if s.Step != step || !strings.Contains(s.Words, words) {
		m.f.t.Fatalf("%s: step %q, %q; want %q, %q", m.name, s.Step, s.Words, step, words)
	}
	for {
		all, err := m.f.hub.Terminals(m.f.t.Context(), "oakfield")
		must(m.f.t, err)
		for _, known := range all {
			if known.Terminal == m.name && known.Status.Update == s {
				return
			}
		}
		if m.f.t.Context().Err() != nil {
			m.f.t.Fatal("the hub does not hear of it")
		}
		m.client.Wake()
		select {
		case <-m.f.told:
		case <-m.f.t.Context().Done():
		}
	}
}

func (m *member) rollout() hub.Rollout {
	m.f.t.Helper()
	all, err := m.f.hub.Rollouts(m.f.t.Context(), "oakfield")
	must(m.f.t, err)
	for _, o := range all {
		if o.Terminal == m.name {
			return o
		}
	}
	m.f.t.Fatalf("nothing is staged for %s", m.name)
	return hub.Rollout{}
}

// apply is root's part.
func (m *member) apply() error {
	_, err := ApplyUpdate(m.f.t.Context(), m.c, m.on, m.f.key, m.now(), nil, func(int) {})
	return err
}

// notNow sees that an update that is ready is not installed after what happens, that nothing waits for it any more, and that
// the files stay.
func (m *member) notNow(happens func()) {
	m.f.t.Helper()
	happens()
	if err := m.apply(); !errors.Is(err, ErrNotNow) {
		m.f.t.Errorf("installed: %v", err)
	}
	if err := m.apply(); !errors.Is(err, ErrNothingReady) {
		m.f.t.Errorf("it is ready still: %v", err)
	}
	for _, path := range m.files() {
		if _, err := os.Stat(path); err != nil {
			m.f.t.Error(err)
		}
	}
}

// A version goes from the hub to the terminals, one first: fetched through a wire that breaks, outside serving hours only,
// installed, tried, committed. The next wave begins then, and not before.
func TestStagedUpdate(t *testing.T) {
	t.Parallel() // it waits more than it works
	f := newFleet(t)
	first, second := f.member("till-1"), f.member("till-2")
	f.bundle(11, nil)
	f.away.Store(true)
	first.look(t.Context()) // as at a start before the network is there
	if d := first.pause(); d != lookAgain {
		t.Errorf("without a hub it looks again after %v", d)
	}
	f.away.Store(false)
	first.looks(register.UpdateNone, "")
	if n, err := f.hub.Stage(t.Context(), "office", 11, ""); n != 2 || err != nil {
		t.Fatalf("staged for %d, %v", n, err)
	}
	second.looks(register.UpdateNone, "")

	night := first.now
	first.now = func() time.Time { return night().Add(-10 * time.Hour) }
	first.looks(register.UpdateFetching, "waits for the hours 18:00-05:00")
	if d := first.pause(); d != lookForUpdates {
		t.Errorf("it looks again after %v", d)
	}
	first.now = night
	f.left.Store(4<<20 + 100_000) // the boot's file and most of the first part of the root
	first.looks(register.UpdateFetching, "broken off, and gone on with")
	if d := first.pause(); d != lookAgain {
		t.Errorf("it goes on after %v", d)
	}
	before := f.sent.Load()
	f.left.Store(-1)
	var meanwhile atomic.Pointer[register.UpdateState]
	asked := func() { meanwhile.Store(first.state.Load()) }
	f.asked.Store(&asked)
	first.looks(register.UpdateReady, "fetched and whole")
	if d := first.pause(); d != lookAgain {
		t.Errorf("how the installing went is looked at after %v", d)
	}
	if s := meanwhile.Load(); s == nil || s.Step != register.UpdateFetching || s.Words != "its files are coming" {
		t.Errorf("while the files come it says %+v", s)
	}
	var size int64
	for _, name := range []string{release.BootFile, release.RootFile} {
		info, err := os.Stat(filepath.Join(f.folder, name))
		must(t, err)
		size += info.Size()
	}
	if again := f.sent.Load() - before; again >= size {
		t.Errorf("%d bytes were fetched after the break, of %d in all: it began anew", again, size)
	}
	first.looks(register.UpdateReady, "")
	first.notNow(func() { first.now = func() time.Time { return night().Add(14 * time.Hour) } }) // the next day
	first.now = night
	first.looks(register.UpdateReady, "")
	first.notNow(func() { // the power was off over night, and the clock stood still
		must(t, first.c.writeReady(readiness{Sequence: 11, Boot: "boot-0", Until: night().Add(time.Hour)}))
	})
	before = f.sent.Load()
	first.looks(register.UpdateReady, "")
	if again := f.sent.Load() - before; again != 0 {
		t.Errorf("%d bytes of what was here already were fetched again", again)
	}
	must(t, first.apply())
	if _, err := os.Stat(first.c.readyPath()); err == nil {
		t.Error("what is installed is ready still")
	}
	first.looks(register.UpdateTrial, "tried at the next start")
	if o := first.rollout(); o.State != "under way" || o.Wave != 1 {
		t.Errorf("the hub says %+v", o)
	}
	second.looks(register.UpdateNone, "")

	first.on.Running, first.on.Sequence, first.boot = update.B, 11, "boot-2"
	first.looks(register.UpdateTrial, "it runs")
	second.looks(register.UpdateNone, "")
	must(t, update.Commit(first.on.Autoboot, update.B))
	first.looks(register.UpdateNone, "")
	if o := first.rollout(); o.State != "done" {
		t.Errorf("the hub says %+v", o)
	}
	second.looks(register.UpdateReady, "")
}

// What goes wrong at the first terminal does not happen at the others.
func TestAFailedUpdateStopsTheRest(t *testing.T) {
	t.Parallel() // it waits more than it works
	spoil := func(name string) func(string) {
		return func(folder string) {
			b, err := os.ReadFile(filepath.Join(folder, name))
			if err == nil {
				b[len(b)/2] ^= 1
				err = os.WriteFile(filepath.Join(folder, name), b, 0o600)
			}
			if err != nil {
				panic(err)
			}
		}
	}
	for _, c := range []struct {
		name     string
		sequence uint64
		spoil    func(folder string)
		before   func(m *member)
		want     string
	}{
		{"an altered root", 11, spoil(release.RootFile), nil, "it was altered"},
		{"an altered statement", 11, spoil(update.Statement), nil, "not signed with the release key"},
		{"an older version", 9, nil, nil, "older than what runs here"},
		{"it did not serve", 11, nil, func(m *member) {
			m.looks(register.UpdateReady, "")
			must(m.f.t, m.apply())
			m.boot = "boot-2" // without a trial: the power went, and it is installed once more
			m.looks(register.UpdateReady, "")
			must(m.f.t, m.c.writeReady(readiness{Sequence: 11, Boot: bootID(), Until: m.now().Add(time.Hour)}))
			must(m.f.t, m.apply())
			must(m.f.t, m.c.NoteTrial("", 11))
			m.boot = "boot-3" // and slot A runs again
		}, "it was started on trial and did not serve"},
		{"no room on the card", 11, nil, func(m *member) {
			m.looks(register.UpdateReady, "")
			must(m.f.t, os.Truncate(m.on.Partition(6), 1000))
			if m.apply() == nil {
				m.f.t.Error("it was installed")
			}
		}, "card that is flashed anew"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFleet(t)
			first, second := f.member("till-1"), f.member("till-2")
			f.bundle(c.sequence, c.spoil)
			if _, err := f.hub.Stage(t.Context(), "office", c.sequence, "oakfield"); err != nil {
				t.Fatal(err)
			}
			if c.before != nil {
				c.before(first)
			}
			first.looks(register.UpdateFailed, c.want)
			if o := first.rollout(); o.State != "failed" || !strings.Contains(o.Words, c.want) {
				t.Errorf("the hub says %+v", o)
			}
			second.looks(register.UpdateNone, "")
			if o := second.rollout(); o.State != "waiting" {
				t.Errorf("the hub says %+v", o)
			}
			if s, err := update.Committed(first.on.Autoboot); err != nil || s != update.A {
				t.Errorf("slot %v is committed, %v", s, err)
			}
		})
	}
}

// A terminal that packages bring up to date is left out, and keeps nobody waiting.
func TestAForeignTerminalIsLeftOut(t *testing.T) {
	t.Parallel() // it waits more than it works
	f := newFleet(t)
	first, second := f.member("till-1"), f.member("till-2")
	f.bundle(11, nil)
	first.card = func() (update.Card, error) { return update.This("root=/dev/sda1", "", "") }
	if _, err := f.hub.Stage(t.Context(), "office", 11, "oakfield"); err != nil {
		t.Fatal(err)
	}
	first.looks(register.UpdateForeign, "use its package manager")
	if o := first.rollout(); o.State != "left out" {
		t.Errorf("the hub says %+v", o)
	}
	second.looks(register.UpdateReady, "")
}
