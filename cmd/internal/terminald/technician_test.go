package terminald

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"
	"periph.io/x/conn/v3/gpio/gpiotest"

	"github.com/tillprint/tillprint/device/zfm/zfmsim"
	"github.com/tillprint/tillprint/matcher/synth"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/disposal"
	"github.com/tillprint/tillprint/till"
)

// visit is a daemon whose pages a technician's browser asks.
type visit struct {
	t      *testing.T
	c      Config
	term   *Terminal
	served chan struct{} // a token each time that a page begins to be served
	stop   func()        // and wait for the end
}

// visiting runs the daemon of a configuration until the test ends, and returns once a page is there.
func visiting(t *testing.T, c Config) *visit {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	v := &visit{t: t, c: c, served: make(chan struct{}, 8)}
	ready, done := make(chan *Terminal, 1), make(chan error, 1)
	hooks := Hooks{Serving: func() { v.served <- struct{}{} }, Ready: func(term *Terminal) error { ready <- term; return nil }}
	go func() { done <- Run(ctx, c, slog.New(slog.DiscardHandler), hooks) }()
	v.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the daemon: %v", err)
		}
	})
	t.Cleanup(v.stop)
	v.await()
	if exists(c.orderPath()) || c.joined() {
		v.term = <-ready
	}
	return v
}

// await waits until another page begins to be served.
func (v *visit) await() {
	v.t.Helper()
	select {
	case <-v.served:
	case <-time.After(time.Minute):
		v.t.Fatal("no page is served")
	}
}

// free is an address that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// get and post ask as a browser of the terminal's own; code 0 is a page that is not there.
func (v *visit) get(path string) (code int, body string) { return v.ask("GET", path, nil) }
func (v *visit) post(path string, form url.Values) (code int, body string) {
	return v.ask("POST", path, form)
}

func (v *visit) ask(method, path string, form url.Values) (code int, body string) {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, "http://"+v.c.Page.Listen+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(text)
}

// stage waits until the terminal's end has come that far.
func (v *visit) stage(want string) {
	v.t.Helper()
	for late := time.After(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		code, body := v.get("/technician/stage")
		if code == 200 && body == want {
			return
		}
		select {
		case <-late:
			v.t.Fatalf("the stage is %q (%d), not %s", body, code, want)
		default:
		}
	}
}

// sensing waits until the till can read fingers.
func (v *visit) sensing() { v.t.Helper(); v.lamp("Fingers", "on") }

// lamp waits until a part of the health bar says that.
func (v *visit) lamp(part, words string) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), time.Minute)
	defer cancel()
	for view := range v.term.Till.Subscribe(ctx, 1) {
		for _, l := range view.Health {
			if l.Part == part && strings.Contains(l.Words, words) {
				return
			}
		}
	}
	v.t.Fatalf("%s never says %q: %v", part, words, v.term.Till.View().Health)
}

// plugged is a configuration with a sensor that answers.
func plugged(t *testing.T, c Config, o zfmsim.Options) (Config, *zfmsim.Sim) {
	t.Helper()
	sim, err := zfmsim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sim.Close() })
	go sim.Run(t.Context())
	c.Sensor.Port, c.Sensor.Password = sim.Path(), 0
	return c, sim
}

// Nothing about anybody in a filled store is on the technician's page or in the bundle that it hands out; the figures are.
func TestTheTechniciansPageNamesNobody(t *testing.T) {
	c, needles, people := filled(t)
	c.Page.Listen = free(t)
	v := visiting(t, c)
	needles = append(needles, fill(t, v.term, people)...)
	v.term.presses.observe(nil)(till.Result{Wire: 1200 * time.Millisecond, Compute: 42 * time.Millisecond})
	_, page := v.get("/technician")
	_, part := v.get("/technician/findings")
	_, bundle := v.post("/technician/bundle", url.Values{"sure": {"yes"}})
	texts := unpacked(t, bundle)
	texts["page"], texts["part"] = page, part
	for name, text := range texts {
		for _, found := range inFile(text, needles) {
			t.Errorf("%s holds %s", name, found)
		}
	}
	for _, want := range []string{"all hold", "the last 1 took 1.2s on the wire and 42ms to decide (medians)", "confirmed by the hub", "entries applied",
		"the hub last told", "Lease", "Queue", "Key slot", "Promise", "till-1", "oakfield"} {
		if !strings.Contains(page, want) || !strings.Contains(part, want) {
			t.Errorf("the page lacks %q:\n%s", want, part)
		}
	}
	for _, want := range []string{"doctor.json", "metrics.txt", "log.txt"} {
		if texts[want] == "" {
			t.Errorf("the bundle lacks %s: %d files", want, len(texts))
		}
	}
}

// unpacked reads a bundle.
func unpacked(t *testing.T, bundle string) map[string]string {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(bundle))
	if err != nil {
		t.Fatalf("%v: %.200q", err, bundle)
	}
	texts := map[string]string{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return texts
		}
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := io.Copy(&b, r); err != nil {
			t.Fatal(err)
		}
		texts[strings.TrimPrefix(h.Name, "tillprint-support/")] = b.String()
	}
}

// A technician tries the parts with their hands, beside the running daemon, as the page says; PINs are served meanwhile, and
// the result is kept and goes to the hub.
func TestHandsOnThePage(t *testing.T) {
	t.Parallel() // it waits more than it works
	c, _, people := filled(t)
	c.Page.Listen = free(t)
	c, sim := plugged(t, c, zfmsim.Options{Model: zfmsim.R307})
	line := &gpiotest.Pin{N: "HANDLINE", Num: 9201, EdgesChan: make(chan gpio.Level, 8)}
	lamp := &gpiotest.Pin{N: "HANDLAMP", Num: 9202}
	for _, p := range []*gpiotest.Pin{line, lamp} {
		if err := gpioreg.Register(p); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { gpioreg.Unregister(p.N) })
	}
	c.Touch.Pin, c.Touch.ActiveLow, c.Panel.Ready = line.N, false, lamp.N
	v := visiting(t, c)
	v.lamp("Hub", "in contact")

	events, err := http.Get("http://" + c.Page.Listen + "/technician/events")
	if err != nil {
		t.Fatal(err)
	}
	defer events.Body.Close()
	defer time.AfterFunc(time.Minute, func() { events.Body.Close() }).Stop()
	if code, body := v.post("/technician/test", url.Values{"sure": {"yes"}, "hands": {"yes"}}); code != 204 {
		t.Fatalf("%d %s", code, body)
	}
	if code, body := v.post("/technician/test", url.Values{"sure": {"yes"}}); code != 409 {
		t.Errorf("a second test beside it: %d %s", code, body)
	}
	steps := map[string]func(){
		"Lay a finger of yours": func() {
			if code, _ := v.post("/do/pin", nil); code != 204 {
				t.Errorf("PINs rest: %d", code)
			}
			if err := v.term.Till.PIN(t.Context(), people[0].PIN); err != nil {
				t.Error(err)
			}
			v.post("/do/clear", nil)
			if err := sim.Press(sim.Sensor().Press(synth.NewMaster(3).Impression(0, synth.Conditions{}))); err != nil {
				t.Error(err)
			}
		},
		"Touch the sensor":          func() { line.EdgesChan <- gpio.High },
		"Did the ready light shine": func() { v.post("/technician/answer", url.Values{"yes": {"no"}}) },
	}
	begun, over := false, false // the page tells of the test at the first start before
	for lines := bufio.NewScanner(events.Body); !over && lines.Scan(); {
		begun = begun || strings.Contains(lines.Text(), "Parts are being tried")
		over = begun && strings.Contains(lines.Text(), "Tried ")
		for say, do := range steps {
			if strings.Contains(lines.Text(), say) {
				delete(steps, say)
				do()
			}
		}
	}
	if len(steps) > 0 {
		t.Errorf("never asked for %v", steps)
	}
	_, after := v.get("/technician")
	for _, want := range []string{"HANDLINE follows the finger", "256x288, quality ", "nothing came of it: check its wire", "answers at", "Key slot"} {
		if !strings.Contains(after, want) {
			t.Errorf("the page lacks %q:\n%s", want, after)
		}
	}
	if last, err := readSelfTest(v.term.Store); err != nil || last.Sound() || v.term.tested.Load().At != last.At {
		t.Errorf("kept: %+v, told to the hub: %+v, %v", last, v.term.tested.Load(), err)
	}
	v.sensing()
	if lamp.Read() != gpio.High {
		t.Error("the ready light stays dark after the test")
	}
}

// The page ends a terminal while a finger is being read: nobody else's name ends it, the second of two orders does nothing, and
// what is left is the certificate, which the hub has too, at this start and at the next.
func TestDecommissionFromThePage(t *testing.T) {
	t.Parallel() // it waits more than it works
	c, needles, people := filled(t)
	c.Page.Listen = free(t)
	c, sim := plugged(t, c, zfmsim.Options{Paced: true, Sleep: func(d time.Duration) { time.Sleep(d / 4) }})
	v := visiting(t, c)
	needles = append(needles, fill(t, v.term, people)...)
	v.sensing()
	v.post("/do/clear", nil)
	if code, body := v.post("/do/finger", nil); code != 204 {
		t.Fatalf("%d %s", code, body)
	}
	if err := sim.Press(sim.Sensor().Press(synth.NewMaster(3).Impression(0, synth.Conditions{}))); err != nil {
		t.Fatal(err)
	}
	for e := range sim.Events() {
		if e.Kind == zfmsim.Captured { // its image is on the wire now, for seconds
			break
		}
	}
	if code, body := v.post("/technician/decommission", url.Values{"terminal": {"till-2"}}); code != 409 || !strings.Contains(body, "nothing was done") || exists(c.orderPath()) {
		t.Errorf("another name: %d %s", code, body)
	}
	codes := make(chan int, 2)
	for range cap(codes) {
		go func() {
			code, _ := v.post("/technician/decommission", url.Values{"terminal": {" till-1 "}})
			codes <- code
		}()
	}
	if a, b := <-codes, <-codes; a != 200 && b != 200 || a == b {
		t.Errorf("two orders were answered with %d and %d", a, b)
	}
	v.await()
	v.stage("ended")
	check := func(when string) {
		t.Helper()
		_, page := v.get("/technician")
		_, text := v.get("/technician/certificate")
		lines, err := disposal.Verify(text, v.term.Store.VerifierKey())
		if err != nil {
			t.Fatalf("%s: %v: %s", when, err, text)
		}
		if lines["Sensor"] != "its own memory was looked at and holds 0 templates" || !strings.Contains(lines["Held before"], "30 adults") || !strings.Contains(lines["Held before"], "templates of 1 people") {
			t.Errorf("%s: %v", when, lines)
		}
		if _, front := v.get("/"); !strings.Contains(front, "has been decommissioned") || !strings.Contains(html.UnescapeString(page), v.term.Store.VerifierKey()) {
			t.Errorf("%s: %s", when, page)
		}
		if code, _ := v.post("/do/cash", nil); code != 409 {
			t.Errorf("%s: cash: %d", when, code)
		}
	}
	check("at once")
	for late := time.After(time.Minute); ; {
		if _, page := v.get("/technician"); strings.Contains(page, "The hub has the certificate") {
			break
		}
		select {
		case <-late:
			t.Fatal("the hub is never told")
		case <-time.After(5 * time.Millisecond):
		}
	}
	v.stop()
	left, err := os.ReadDir(c.Store.Dir)
	if err != nil || len(left) != 1 || left[0].Name() != "decommissioned.json" {
		t.Errorf("left: %v, %v", left, err)
	}
	text, err := os.ReadFile(c.endPath())
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range inFile(string(text), needles) {
		t.Errorf("what is left holds %s", found)
	}
	again := visiting(t, c)
	again.term = v.term
	v = again
	check("after a restart")
}

// alone carries out what stands beside a device's store, and returns what is shown then; nil for a terminal that goes on.
func (d *device) alone() (shown *string, trouble string) {
	d.t.Helper()
	d.c.Page.Listen, d.c.Sensor.Port = "127.0.0.1:0", ""
	ctx, cancel := context.WithTimeout(d.t.Context(), 40*time.Second)
	defer cancel()
	e := &ending{c: d.c, log: slog.New(slog.NewTextHandler(&d.log, nil))}
	type outcome struct {
		ended bool
		err   error
	}
	done := make(chan outcome, 1)
	go func() { ended, err := e.run(ctx); done <- outcome{ended, err} }()
	for {
		select {
		case o := <-done:
			if o.err != nil || o.ended {
				d.t.Fatalf("ended %v, %v", o.ended, o.err)
			}
			return nil, e.trouble
		case <-time.After(time.Millisecond):
		}
		if end := e.end.Load(); end != nil && !end.Working && end.Hub != beingTold && (end.Terminal != "" || end.Trouble != "") {
			cancel()
			if o := <-done; o.err != nil || !o.ended {
				d.t.Fatalf("ended %v, %v", o.ended, o.err)
			}
			text := fmt.Sprintf("%s\n%s\n%s", end.Certificate, end.Hub, end.Trouble)
			return &text, e.trouble
		}
	}
}

// Wherever the power is cut after an order, the next start goes on with it, and never begins the terminal anew.
func TestAnOrderOutlivesAPowerCut(t *testing.T) {
	ordered := func(d *device) {
		if err := (order{Terminal: "till-1"}).write(d.c); err != nil {
			d.t.Fatal(err)
		}
	}
	keys := func(d *device) {
		ordered(d)
		d.with(func(st *store.Store) {
			if err := st.Destroy(); err != nil {
				d.t.Fatal(err)
			}
		})
	}
	for _, tc := range []struct {
		name   string
		cut    func(*device)
		says   string // "" where the terminal goes on
		why    string
		joined bool // afterwards
	}{
		{"no order", func(*device) {}, "", "", true},
		{"before anything", ordered, "Keys: destroyed in the slot file", "", false},
		{"when the keys were gone", keys, "no certificate can be signed", "", false},
		{"when the files were gone", func(d *device) {
			keys(d)
			if _, err := disposal.Overwrite(d.c.Store.Dir, zeros{}); err != nil {
				d.t.Fatal(err)
			}
		}, "The power was cut before the certificate was signed", "", false},
		{"a key file that is open to others", func(d *device) { ordered(d); os.Chmod(d.c.slotPath(), 0o644) }, "", "nothing was done", true},
		{"an order that nobody can read", func(d *device) { os.WriteFile(d.c.orderPath(), []byte("{"), 0o600) }, "", "", true},
		{"joined again since", func(d *device) { os.WriteFile(d.c.endPath(), []byte(`{"Terminal":"till-1"}`), 0o600) }, "", "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDevice(t, "file")
			tc.cut(d)
			shown, why := d.alone()
			if tc.says == "" && shown != nil || tc.says != "" && (shown == nil || !strings.Contains(*shown, tc.says)) {
				t.Errorf("shown: %v, want %q", shown, tc.says)
			}
			if !strings.Contains(why, tc.why) || d.c.joined() != tc.joined {
				t.Errorf("why %q, joined %v", why, d.c.joined())
			}
			if tc.says == "" {
				return
			}
			if exists(d.c.orderPath()) {
				t.Error("the order is still there")
			}
			if again, _ := d.alone(); again == nil || *again != *shown {
				t.Errorf("the next start shows %v, not %q", again, *shown)
			}
		})
	}
}
