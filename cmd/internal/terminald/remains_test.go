package terminald

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"
	"golang.org/x/sys/unix"

	"github.com/tillprint/tillprint/cmd/internal/config"
	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/device/zfm/zfmsim"
	"github.com/tillprint/tillprint/locked/remains"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/extract"
	"github.com/tillprint/tillprint/matcher/sample"
	"github.com/tillprint/tillprint/matcher/synth"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/custody"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/sync/hub"
	"github.com/tillprint/tillprint/sync/hub/hubtest"
	"github.com/tillprint/tillprint/sync/terminal"
	"github.com/tillprint/tillprint/till"
)

// remainsConfig names the child's configuration file in its environment.
const remainsConfig = "TILLPRINT_TEST_REMAINS"

// I3, measured from outside: this test runs the daemon as a process of its own, with a simulated sensor and a real hub,
// and reads its memory as a debugger would. An image, a probe and an enrolment that was not finished are gone with the
// decision about them, a template with its wipe; each is found before, else the search proves nothing.
func TestI3NothingOfAFingerRemainsInTheProcess(t *testing.T) {
	if path := os.Getenv(remainsConfig); path != "" {
		remainsChild(t, path)
		return
	}
	if testing.Short() {
		t.Skip("skipped with -short: the race detector's shadow of the memory makes reading all of it take longer than a press lasts")
	}
	w := newRemains(t)
	template := templateNeedles(w.templates...)
	w.say("wait")
	w.until("waited")
	for w.found(template) == 0 { // the gallery is loaded while the till serves already
		if w.ctx.Err() != nil {
			t.Fatal("control: the template is not found in the running gallery")
		}
	}

	probe := w.master.Impression(77, synth.Conditions{})
	image, made := w.pressed(probe)
	w.wire.arm()
	w.say("scan")
	<-w.wire.reached
	w.until("view reading 0") // views of before say nothing of this press
	var seen bool
	w.still(func() { seen = w.found(image) > 0 }) // or the driver gives the image up while this looks for it
	if !seen {                                    // the daemon had not read yet what has come, and does now
		seen = w.found(image) > 0
	}
	if !seen {
		t.Error("control: the image is not found while it comes")
	}
	close(w.wire.release)
	// On a slow machine the stop was too long, for the driver or for the till, which waits ten seconds for a finger.
	decided := "decided " + string(w.subject)
	for w.until(decided, "view fingers-off 0", "view try-again 0", "view idle 0") > 0 {
		w.say("wait")
		if w.until("waited", decided) > 0 { // the view was one of before
			break
		}
		w.say("scan")
		if w.until("view reading 0", decided) > 0 {
			break
		}
	}
	w.sim.Lift()
	w.gone("the image", image)
	w.gone("the probe", made)
	if w.found(template) == 0 {
		t.Error("control: the search finds nothing after the decision")
	}

	w.say("enrol " + string(w.other))
	w.until("view enrol-notice 0")
	w.say("yes")
	w.until("view enrol-press 0")
	image, made = w.pressed(synth.NewMaster(5).Impression(3, synth.Conditions{}))
	w.until("view enrol-press 1")
	if w.found(made) == 0 {
		t.Error("control: the enrolment under way is not found")
	}
	w.gone("the enrolment's image", image)
	w.say("no")
	w.until("step " + store.StepDone)
	w.gone("the enrolment that was refused", made)

	if _, err := w.hub.Withdraw(w.ctx, "oakfield", "office", w.subject, "", true); err != nil {
		t.Fatal(err)
	}
	w.until("step " + store.StepDone)
	w.gone("the template that was wiped", template)
}

// remainsWorld is the world around the child.
type remainsWorld struct {
	t         *testing.T
	ctx       context.Context
	hub       *hub.Hub
	sim       *zfmsim.Sim
	wire      *gate
	master    *synth.Master
	subject   consent.SubjectID // enrolled
	other     consent.SubjectID // with consent, not enrolled
	templates []*matcher.Template
	child     *exec.Cmd
	in        *os.File
	lines     chan string
	where     []string // what found has found
}

// gate stops the sensor's wire in the middle of an image.
type gate struct {
	armed            atomic.Bool
	chunks           atomic.Int64
	reached, release chan struct{}
}

func (g *gate) arm() { g.armed.Store(true) }

// sleep takes no time, but for the one stop: an image has some six hundred chunks.
func (g *gate) sleep(time.Duration) {
	if g.armed.Load() && g.chunks.Add(1) == 240 {
		close(g.reached)
		<-g.release
	}
}

func newRemains(t *testing.T) *remainsWorld {
	w := &remainsWorld{t: t, wire: &gate{reached: make(chan struct{}), release: make(chan struct{})}, master: synth.NewMaster(1)}
	var stop context.CancelFunc
	w.ctx, stop = context.WithTimeout(context.Background(), 8*time.Minute) // only against waiting for ever
	t.Cleanup(stop)
	code := w.school()
	var err error
	w.sim, err = zfmsim.New(zfmsim.Options{Paced: true, Sleep: w.wire.sleep})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.sim.Close() })
	go w.sim.Run(w.ctx)
	c := Default()
	c.Store.Dir, c.Keyslot.Kind = filepath.Join(t.TempDir(), "store"), keyslot.KindFile
	c.Sensor.Port, c.Page.Listen, c.Sync.Wait = w.sim.Path(), "127.0.0.1:0", config.Length(time.Second)
	if _, err := Join(w.ctx, c, code, "till-1"); err != nil {
		t.Fatal(err)
	}
	w.enrol(c)
	w.start(c)
	return w
}

// school makes a hub with two consenting adults, and a join code.
func (w *remainsWorld) school() string {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	dir := w.t.TempDir()
	if err := hub.Init(dir, []string{"localhost"}, rand.Reader, time.Now()); err != nil {
		w.t.Fatal(err)
	}
	w.hub, err = hub.Open(w.ctx, hub.Config{Dir: dir, Addresses: []string{"https://" + l.Addr().String()}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		w.t.Fatal(err)
	}
	server := &http.Server{Handler: w.hub.Handler(), TLSConfig: w.hub.TLS()}
	go server.ServeTLS(l, "", "")
	w.t.Cleanup(func() { server.Close(); w.hub.Close() })
	profile := consent.Profile{Biometrics: true, Purpose: consent.CanteenIdentification, Modality: consent.Finger, Notices: []string{"v1"}}
	if err := w.hub.AddSite(w.ctx, hub.Site{ID: "oakfield", Name: "Oakfield School", Profile: profile}); err != nil {
		w.t.Fatal(err)
	}
	yes := consent.Statement{Capacity: consent.Self, Kind: consent.Consent, Form: consent.Written, At: time.Now().Add(-time.Hour),
		Purpose: consent.CanteenIdentification, Modality: consent.Finger, Notice: "v1", Evidence: "form 1"}
	people := []hub.NewSubject{{Class: consent.Adult, Name: "A Cook", Statements: []consent.Statement{yes}},
		{Class: consent.Adult, Name: "A Teacher", Statements: []consent.Statement{yes}}}
	added, err := w.hub.AddSubjects(w.ctx, "oakfield", "office", people)
	if err != nil {
		w.t.Fatal(err)
	}
	w.subject, w.other = added[0].Subject, added[1].Subject
	code, err := w.hub.NewJoinCode(w.ctx, "oakfield", "office", "till-1")
	if err != nil {
		w.t.Fatal(err)
	}
	return code
}

// enrol puts three presses of the subject's finger into the terminal's store, before the daemon runs.
func (w *remainsWorld) enrol(c Config) {
	w.t.Helper()
	if err := hubtest.Commission(w.ctx, w.hub, "oakfield", "till-1", "v1"); err != nil {
		w.t.Fatal(err)
	}
	st, err := openStore(c, slog.New(slog.DiscardHandler), store.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	defer st.Close()
	g := matcher.NewGallery()
	keeper, err := custody.Open(st, g)
	if err != nil {
		w.t.Fatal(err)
	}
	client, err := terminal.New(terminal.Config{Store: st, Custody: keeper, Log: slog.New(slog.DiscardHandler), Wait: time.Second})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(w.ctx)
	done := make(chan error, 1)
	go func() { done <- client.Run(ctx) }()
	for {
		changed := client.Changed()
		if s := client.State(); s.Head > 0 && s.Applied == s.Head {
			break
		}
		select {
		case <-changed:
		case <-ctx.Done():
			w.t.Fatal("the terminal has not learnt who is who")
		}
	}
	stop()
	<-done
	var records []store.TemplateRecord
	for n := range uint64(3) {
		seen := w.sim.Sensor().Press(w.master.Impression(n, synth.Conditions{}))
		made, err := extract.New().Extract(seen)
		if err != nil {
			w.t.Fatal(err)
		}
		data, err := made.MarshalBinary()
		if err != nil {
			w.t.Fatal(err)
		}
		if err := made.UnmarshalBinary(data); err != nil { // rounded as the store rounds
			w.t.Fatal(err)
		}
		w.templates = append(w.templates, made)
		records = append(records, store.TemplateRecord{Subject: w.subject, Finger: 2, Data: data, Enrolled: time.Now()})
	}
	if err := keeper.Enrol(w.ctx, records); err != nil {
		w.t.Fatal(err)
	}
}

// start runs the daemon's child.
func (w *remainsWorld) start(c Config) {
	w.t.Helper()
	text, err := toml.Marshal(c)
	if err != nil {
		w.t.Fatal(err)
	}
	path := filepath.Join(w.t.TempDir(), "tillprintd.toml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.child = exec.CommandContext(w.ctx, os.Args[0], "-test.run=^TestI3NothingOfAFingerRemainsInTheProcess$")
	w.child.Env = slices.Concat(os.Environ(), []string{remainsConfig + "=" + path}, unitEnvironment(w.t))
	w.child.Stderr = w.t.Output()
	out, err := w.child.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	r, in, err := os.Pipe()
	if err != nil {
		w.t.Fatal(err)
	}
	w.child.Stdin, w.in = r, in
	if err := w.child.Start(); err != nil {
		w.t.Fatal(err)
	}
	r.Close()
	w.lines = make(chan string, 1000)
	go func() {
		defer close(w.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			w.lines <- s.Text()
		}
	}()
	w.t.Cleanup(func() { in.Close(); w.child.Wait() })
}

// unitEnvironment is what the unit that we ship sets.
func unitEnvironment(t *testing.T) (variables []string) {
	t.Helper()
	unit, err := os.ReadFile("../../../deploy/deb/terminal/tillprintd.service")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(unit)) {
		if variable, is := strings.CutPrefix(strings.TrimSpace(line), "Environment="); is {
			variables = append(variables, variable)
		}
	}
	if !slices.Contains(variables, "GODEBUG=asyncpreemptoff=1") {
		t.Errorf("the unit lets the runtime leave registers on signal stacks: it sets %q", variables)
	}
	return variables
}

func (w *remainsWorld) say(line string) {
	w.t.Helper()
	if _, err := fmt.Fprintln(w.in, line); err != nil {
		w.t.Fatal(err)
	}
}

// until waits for one of some lines of the child's and says which.
func (w *remainsWorld) until(lines ...string) int {
	w.t.Helper()
	var seen []string
	for l := range w.lines {
		if i := slices.Index(lines, l); i >= 0 {
			return i
		}
		seen = append(seen, l)
	}
	w.t.Fatalf("the child never said %q but:\n%s", lines, strings.Join(seen, "\n"))
	return -1
}

// pressed lays a finger on the glass and returns what could be left of its image and its template.
func (w *remainsWorld) pressed(finger *sample.Sample) (image, made [][]byte) {
	w.t.Helper()
	seen := w.sim.Sensor().Press(finger)
	if err := w.sim.Press(seen); err != nil {
		w.t.Fatal(err)
	}
	e := extract.New()
	e.Begin(seen.Width, seen.Height, seen.PPI)
	for y := range seen.Height {
		e.Row(y, seen.Pix[y*seen.Width:][:seen.Width])
		if e.Ripe() {
			if t, err := e.Sofar(); err == nil {
				made = append(made, templateNeedles(t)...)
			}
		}
	}
	t, err := e.End()
	if err != nil {
		w.t.Fatal(err)
	}
	return imageNeedles(seen), append(made, templateNeedles(t)...)
}

// gone reports what is left in the child, and where, after a nudge to its threads if need be.
func (w *remainsWorld) gone(what string, needles [][]byte) {
	w.t.Helper()
	n := w.found(needles)
	for range 3 {
		if n == 0 {
			return
		}
		if err := remains.Nudge(w.child.Process.Pid); err != nil {
			w.t.Fatal(err)
		}
		n = w.found(needles)
	}
	w.t.Errorf("%s: %d of %d pieces are still in memory:\n%s", what, n, len(needles), strings.Join(w.where[:min(10, len(w.where))], "\n"))
}

// templateNeedles are any two neighbouring minutiae of templates in every form that they take: as numbers and as stored, in
// the template's order; as the matcher and the gallery have them, in the order of their places. And pieces of the
// sketch, as the extractor writes it and as the matcher spreads it out. (A single place can be
// left on a stack that the runtime has moved; see the threats in the manual.)
func templateNeedles(templates ...*matcher.Template) (needles [][]byte) {
	for _, t := range templates {
		plain := *t
		plain.Flow, plain.Ridges, plain.Sketch = nil, nil, nil // stored after the minutiae, which are looked for
		stored, err := plain.MarshalBinary()
		if err != nil {
			panic(err) // what extraction gave is valid
		}
		var points []remainsPoint
		for i, m := range t.Minutiae {
			wire := stored[len(stored)-8*(len(t.Minutiae)-i):][:8]
			turn := binary.BigEndian.Uint16(wire[4:])
			place := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, math.Float32bits(m.X)), math.Float32bits(m.Y))
			angle := binary.LittleEndian.AppendUint32(nil, math.Float32bits(m.Angle))
			kind := wire[6:]
			heading := turn&^3 | uint16(wire[6])
			points = append(points, remainsPoint{m, wire, slices.Concat(place, angle, kind, []byte{0, 0}),
				slices.Concat(place, binary.LittleEndian.AppendUint16(nil, turn), kind),
				[]byte{wire[1], wire[0], wire[3], wire[2], uint8(heading), uint8(heading >> 8)}})
		}
		for i := range points[1:] {
			needles = append(needles, slices.Concat(points[i].stored, points[i+1].stored), slices.Concat(points[i].number, points[i+1].number))
		}
		slices.SortFunc(points, func(a, b remainsPoint) int {
			return cmp.Or(cmp.Compare(a.m.X, b.m.X), cmp.Compare(a.m.Y, b.m.Y), cmp.Compare(a.m.Angle, b.m.Angle))
		})
		for i := range points[1:] {
			needles = append(needles, slices.Concat(points[i].matched, points[i+1].matched), slices.Concat(points[i].packed, points[i+1].packed))
		}
		needles = append(needles, sketchNeedles(t)...)
	}
	return needles
}

// sketchNeedles are every four words of a sketch beside each other that show ridges, and a row of their places.
func sketchNeedles(t *matcher.Template) (needles [][]byte) {
	const cells = 4
	columns, _ := matcher.FlowSize(t.Width, t.Height)
	for i := 0; i+cells <= len(t.Sketch); i += cells {
		if i%columns+cells > columns || slices.Contains(t.Flow[i:i+cells], 0) {
			continue
		}
		var words, row []byte
		for _, word := range t.Sketch[i : i+cells] {
			words = binary.LittleEndian.AppendUint64(words, word)
			for place := 32; place < 40; place++ {
				row = append(row, uint8(int8(word>>place&1)*2-1))
			}
		}
		needles = append(needles, words, row)
	}
	return needles
}

// remainsPoint is a minutia in its forms.
type remainsPoint struct {
	m                               matcher.Minutia
	stored, number, matched, packed []byte
}

// imageNeedles are pieces of rows as pixels and as the wire packs them, where ridges cross.
func imageNeedles(s *sample.Sample) (needles [][]byte) {
	for y := 8; y < s.Height*2/5; y += 3 {
		row := s.Pix[y*s.Width:][:s.Width]
		pixels := row[s.Width/2-16:][:32]
		packed := make([]byte, 16)
		for i := range packed {
			packed[i] = pixels[2*i]/17<<4 | pixels[2*i+1]/17
		}
		values := slices.Clone(packed)
		slices.Sort(values)
		if len(slices.Compact(values)) >= 8 {
			needles = append(needles, slices.Clone(pixels), packed)
		}
	}
	return needles
}

// still runs f while the child stands still: what it holds now it does not give up because reading all of it takes a while.
func (w *remainsWorld) still(f func()) {
	w.t.Helper()
	pid := w.child.Process.Pid
	if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
		w.t.Fatal(err)
	}
	for { // until it has stopped, or ended, which is left for Wait to learn
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT, nil)
		if err == nil {
			break
		}
		if err != unix.EINTR {
			w.t.Fatal(err)
		}
	}
	f()
	if err := unix.Kill(pid, unix.SIGCONT); err != nil {
		w.t.Fatal(err)
	}
}

// found counts the needles that are in the child's memory.
func (w *remainsWorld) found(needles [][]byte) int {
	w.t.Helper()
	begins := map[[4]byte][]int{}
	var likely [1 << 16]bool
	for i, n := range needles {
		begins[[4]byte(n)] = append(begins[[4]byte(n)], i)
		likely[binary.LittleEndian.Uint16(n)] = true
	}
	hit := map[int]bool{}
	w.where = nil
	w.eachMapping(func(from int64, b []byte) {
		for at := 0; at+4 <= len(b); at++ {
			if !likely[binary.LittleEndian.Uint16(b[at:])] {
				continue
			}
			for _, i := range begins[[4]byte(b[at:])] {
				if bytes.HasPrefix(b[at:], needles[i]) {
					hit[i] = true
					w.where = append(w.where, fmt.Sprintf("piece %d, %d bytes, at %#x of the %d KiB from %#x", i, len(needles[i]), at, len(b)>>10, from))
				}
			}
		}
	})
	return len(hit)
}

// eachMapping reads what the child can write to, mapping by mapping.
func (w *remainsWorld) eachMapping(f func(from int64, b []byte)) {
	w.t.Helper()
	proc := fmt.Sprintf("/proc/%d/", w.child.Process.Pid)
	maps, err := os.ReadFile(proc + "maps")
	if err != nil {
		w.t.Fatal(err)
	}
	mem, err := os.Open(proc + "mem")
	if err != nil {
		w.t.Skipf("this machine does not let a parent read its child's memory: %v", err)
	}
	defer mem.Close()
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		var mode string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); n != 3 || !strings.HasPrefix(mode, "rw") || to-from > 1<<29 {
			continue // larger ones are the race detector's
		}
		b := make([]byte, to-from)
		if n, err := mem.ReadAt(b, from); err == nil { // else it has just been given back
			f(from, b[:n])
		}
	}
}

// remainsChild is the daemon. It does what it is told on standard input and tells what it does; it holds nothing of a finger that the
// daemon's own parts do not hold.
func remainsChild(t *testing.T, path string) {
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	hooks := Hooks{
		OnScan: func(r till.Result) { fmt.Println("decided", r.Subject) },
		OnStep: func(step string) { fmt.Println("step", step) },
		Ready:  func(run *Terminal) error { return remainsServe(ctx, stop, run) },
	}
	if err := Run(ctx, c, slog.New(slog.NewTextHandler(os.Stderr, nil)), hooks); err != nil {
		t.Fatal(err)
	}
}

func remainsServe(ctx context.Context, stop func(), run *Terminal) error {
	if hidden, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || hidden != 0 {
		return fmt.Errorf("the daemon's memory is open to others: %d, %w", hidden, err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0); err != nil { // for this test's eyes
		return err
	}
	views := run.Till.Subscribe(ctx, 100)
	go func() {
		for v := range views {
			press := 0
			if v.Enrolment != nil {
				press = v.Enrolment.Press
			}
			fmt.Println("view", v.State, press)
		}
	}()
	defer stop()
	do := map[string]func(context.Context) error{"scan": run.Till.Scan, "yes": run.Till.EnrolYes, "no": run.Till.EnrolNo}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		word, rest, _ := strings.Cut(in.Text(), " ")
		switch f := do[word]; {
		case f != nil:
			if err := f(ctx); err != nil {
				return fmt.Errorf("%s: %w", word, err)
			}
		case word == "enrol":
			if err := run.Till.Enrol(ctx, consent.SubjectID(rest)); err != nil {
				return err
			}
		case word == "wait":
			if err := remainsReady(ctx, run); err != nil {
				return err
			}
		}
	}
	return nil
}

// remainsReady waits until fingers are on.
func remainsReady(ctx context.Context, run *Terminal) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop() // only so many may watch at a time
	for v := range run.Till.Subscribe(ctx, 100) {
		if slices.Contains(v.Health, till.Lamp{Part: "Fingers", Words: "on", Level: till.Good}) {
			fmt.Println("waited")
			return nil
		}
	}
	return ctx.Err()
}
