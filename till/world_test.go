package till

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/extract"
	"github.com/tillprint/tillprint/matcher/sample"
	"github.com/tillprint/tillprint/matcher/synth"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/custody"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/store/pin"
)

var pepper = []byte("the pepper of a test site")

// glass is a scanner whose glass the test holds: a double for faults and for
// time. Presses are synthetic fingers.
type glass struct {
	mu      sync.Mutex
	img     *sample.Sample
	fault   error         // returned by every command
	gone    error         // returned by opening it
	pace    time.Duration // between rows, ended by the context; 0 sends them at once, come what may
	broken  int           // scans that their context ended
	hold    chan struct{} // when set, a scan with a finger waits for it, whatever its context says
	scans   int
	closed  int
	cleared [][]uint8 // pixels of the images handed out
}

func (g *glass) Info() zfm.Info {
	return zfm.Info{Name: "R503", Width: sample.R503.Width, Height: sample.R503.Height, PPI: sample.R503.PPI}
}

func (g *glass) Echo(context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.fault
}

func (g *glass) Present(context.Context) (bool, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.img != nil, g.fault
}

func (g *glass) Scan(ctx context.Context, rows func(int, []byte)) (*sample.Sample, zfm.Timing, error) {
	g.mu.Lock()
	g.scans++
	img, fault, hold, pace := g.img, g.fault, g.hold, g.pace
	g.mu.Unlock()
	if fault != nil {
		return nil, zfm.Timing{}, fault
	}
	if img == nil {
		return nil, zfm.Timing{}, zfm.ErrNoFinger
	}
	if hold != nil {
		<-hold
	}
	s := sample.New(img.Width, img.Height, img.PPI)
	copy(s.Pix, img.Pix)
	for y := range s.Height {
		if pace > 0 && !sleep(ctx, pace, nil) {
			g.set(func() { g.broken++ })
			s.Clear()
			return nil, zfm.Timing{}, ctx.Err()
		}
		rows(y, s.Pix[y*s.Width:(y+1)*s.Width])
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cleared = append(g.cleared, s.Pix)
	return s, zfm.Timing{Wire: time.Second, Uploads: 1}, nil
}

func (g *glass) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed++
	return nil
}

func (g *glass) set(change func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change()
}

// finger is one person's synthetic finger, with a few presses of it.
type finger struct {
	presses []*sample.Sample
	next    int
}

var fingers = struct {
	sync.Mutex
	grown map[uint64]*finger
}{grown: map[uint64]*finger{}}

// grow makes a finger once for all tests: growing and pressing take a while.
func grow(seed uint64) *finger {
	fingers.Lock()
	defer fingers.Unlock()
	if fingers.grown[seed] == nil {
		f, m := &finger{}, synth.NewMaster(seed)
		for i := range uint64(4) {
			c := synth.Conditions{Rotation: 0.02 * float64(i), ShiftX: float64(i), Noise: 0.1}
			f.presses = append(f.presses, sample.R503.Press(m.Impression(i+1, c)))
		}
		fingers.grown[seed] = f
	}
	return fingers.grown[seed]
}

// press is another press of the finger, as the sensor sees it: no two are the
// same picture.
func (f *finger) press() *sample.Sample {
	of := f.presses[f.next%len(f.presses)]
	s := sample.New(of.Width, of.Height, of.PPI)
	copy(s.Pix, of.Pix)
	f.next++
	s.Pix[f.next%len(s.Pix)] ^= 0x11
	return s
}

// ear is an outlet that remembers.
type ear struct {
	mu    sync.Mutex
	heard []Identity
	clear int
}

func (e *ear) Identified(i Identity) { e.mu.Lock(); defer e.mu.Unlock(); e.heard = append(e.heard, i) }
func (e *ear) Cleared()              { e.mu.Lock(); defer e.mu.Unlock(); e.clear++ }

// world is a till with a real store, custody and gallery, three pupils and a
// sensor in the test's hand. Amina and Ben are enrolled; Zoë has not consented.
type world struct {
	t             *testing.T
	ctx           context.Context
	till          *Till
	dir           string
	slot          keyslot.Slot
	store         *store.Store
	custody       *custody.Custody
	gallery       *matcher.Gallery
	glass         *glass
	ear           *ear
	rand          *sharedRand
	seq           uint64
	mu            sync.Mutex
	results       []Result
	alerts        []string
	amina, ben    consent.SubjectID
	zoe           consent.SubjectID
	aminas, bens  *finger
	stopped       chan struct{}
	breakCustody  error // returned by custody's Refuse and Enrol, when set
	refusalsTried int
}

func (w *world) alert(sentence string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.alerts = append(w.alerts, sentence)
	return nil
}

// brokenCustody is custody whose disk can fail.
type brokenCustody struct {
	*custody.Custody
	w *world
}

func (b brokenCustody) Refuse(ctx context.Context, s consent.SubjectID, by string) (audit.Receipt, error) {
	b.w.mu.Lock()
	err := b.w.breakCustody
	b.w.refusalsTried++
	b.w.mu.Unlock()
	if err != nil {
		return audit.Receipt{}, err
	}
	return b.Custody.Refuse(ctx, s, by)
}

// inWorld runs f in a bubble of its own time with a running till.
func inWorld(t *testing.T, change func(*Config, *Parts), f func(*world)) {
	t.Helper()
	a, b := grow(1), grow(2)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, a, b)
		w.run(change)
		f(w)
	})
}

func newWorld(t *testing.T, a, b *finger) *world {
	w := &world{t: t, ctx: t.Context(), glass: &glass{}, ear: &ear{}, gallery: matcher.NewGallery(), rand: &sharedRand{r: rand.NewChaCha8([32]byte{7})}, aminas: a, bens: b}
	var err error
	w.dir, w.slot = t.TempDir()+"/store", &keyslot.Memory{Rand: w.rand}
	if w.store, err = store.Create(w.dir, w.slot, store.Identity{Site: "st-mary", Terminal: "till-1"}, store.Options{Rand: w.rand}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.store.Close() })
	if w.custody, err = custody.Open(w.store, w.gallery); err != nil {
		t.Fatal(err)
	}
	if err := w.custody.SetLease(time.Now().Add(24 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	w.amina = w.admit(store.Person{Name: "Amina Khan", Form: "7B", Dietary: []string{"Nuts"}, PINIndex: pin.Index(pepper, []byte("493201")), PINVerifier: phc("493201")}, consent.Permit)
	w.ben = w.admit(store.Person{Name: "Ben Owusu", Form: "8A"}, consent.Permit)
	w.zoe = w.admit(store.Person{Name: "Zoë Müller", Form: "7B", PINIndex: pin.Index(pepper, []byte("100200")), PINVerifier: phc("100200")}, consent.Erase)
	w.enrol(w.amina, 2, w.aminas)
	w.enrol(w.ben, 2, w.bens)
	return w
}

// admit puts a person and a decision into the store, as the register does.
func (w *world) admit(p store.Person, d consent.Decision) consent.SubjectID {
	w.t.Helper()
	id, err := consent.NewSubjectID(w.rand)
	if err != nil {
		w.t.Fatal(err)
	}
	w.decide(id, d, &p)
	return id
}

func (w *world) decide(id consent.SubjectID, d consent.Decision, p *store.Person) {
	w.t.Helper()
	w.seq++
	change := store.Change{Seq: w.seq, Subject: id, Standing: store.Standing{Decision: d, Reasons: []string{"A1"}}, Person: p}
	if _, err := w.custody.Apply(w.ctx, []store.Change{change}, w.seq, nil); err != nil {
		w.t.Fatal(err)
	}
}

// enrol puts three presses of a finger into custody.
func (w *world) enrol(id consent.SubjectID, position uint8, f *finger) {
	w.t.Helper()
	var records []store.TemplateRecord
	for range 3 {
		tmpl, err := extract.New().Extract(f.press())
		if err != nil {
			w.t.Fatal(err)
		}
		data, err := tmpl.MarshalBinary()
		if err != nil {
			w.t.Fatal(err)
		}
		records = append(records, store.TemplateRecord{Subject: id, Finger: position, Data: data, Enrolled: time.Now()})
	}
	if err := w.custody.Enrol(w.ctx, records); err != nil {
		w.t.Fatal(err)
	}
}

// run makes the till and starts it.
func (w *world) run(change func(*Config, *Parts)) {
	w.t.Helper()
	cfg := Config{Biometrics: true}
	parts := Parts{Gallery: w.gallery, Custody: brokenCustody{w.custody, w}, People: w.store, Pepper: pepper, Outlets: []Outlet{w.ear},
		Audit: w.store.Append, Alert: w.alert, Recent: w.store.Recent, Rand: w.rand,
		OpenScanner: func(context.Context) (Scanner, error) {
			w.glass.mu.Lock()
			defer w.glass.mu.Unlock()
			if w.glass.gone != nil {
				return nil, w.glass.gone
			}
			return w.glass, nil
		},
		OnScan: func(r Result) { w.mu.Lock(); defer w.mu.Unlock(); w.results = append(w.results, r) }}
	if change != nil {
		change(&cfg, &parts)
	}
	var err error
	if w.till, err = New(cfg, parts); err != nil {
		w.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(w.ctx)
	w.stopped = make(chan struct{})
	go func() {
		defer close(w.stopped)
		if err := w.till.Run(ctx); err != nil {
			w.t.Error(err)
		}
	}()
	w.t.Cleanup(func() { stop(); <-w.stopped })
	synctest.Wait()
}

// press lays a finger on the glass, waits until the till has dealt with it, and
// takes it off again.
func (w *world) press(s *sample.Sample) View {
	w.t.Helper()
	w.glass.set(func() { w.glass.img = s })
	time.Sleep(2 * fingerPoll)
	synctest.Wait()
	w.glass.set(func() { w.glass.img = nil })
	time.Sleep(2 * fingerPoll)
	synctest.Wait()
	return w.till.View()
}

// scan asks for a finger and presses one.
func (w *world) scan(s *sample.Sample) View {
	w.t.Helper()
	w.must(w.till.Scan(w.ctx))
	return w.press(s)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	synctest.Wait()
}

// want checks the state and returns the view.
func (w *world) want(s State) View {
	w.t.Helper()
	synctest.Wait()
	v := w.till.View()
	if v.State != s {
		w.t.Fatalf("the till is %v (%q), want %v", v.State, v.Say, s)
	}
	return v
}

// events are the audit events of a kind.
func (w *world) events(k audit.Kind) (found []audit.Event) {
	w.t.Helper()
	err := w.store.Events(0, func(_ int64, e audit.Event) bool {
		if e.Kind == k {
			found = append(found, e)
		}
		return true
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

var errDisk = errors.New("disk full")

func withName(name string) store.Person { return store.Person{Name: name, Form: "9C"} }

// sharedRand draws for the store, the till and the test, which run beside each other.
type sharedRand struct {
	mu sync.Mutex
	r  *rand.ChaCha8
}

func (s *sharedRand) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.r.Read(b)
}
