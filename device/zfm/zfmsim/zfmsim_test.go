package zfmsim

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.bug.st/serial"

	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/matcher/sample"
)

func switchOn(t *testing.T, o Options) *Sim {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// host is a serial port without any driver, to see the very bytes.
type host struct {
	t    *testing.T
	port serial.Port
	scan zfm.Scanner
}

func connect(t *testing.T, s *Sim, baud int) *host {
	t.Helper()
	port, err := serial.Open(s.Path(), &serial.Mode{BaudRate: baud, DataBits: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { port.Close() })
	return &host{t: t, port: port}
}

func (h *host) send(content ...byte) {
	h.t.Helper()
	p := zfm.Packet{Address: zfm.DefaultAddress, PID: zfm.Command, Content: content}
	if _, err := h.port.Write(p.Append(nil)); err != nil {
		h.t.Fatal(err)
	}
}

// next blocks until a packet comes.
func (h *host) next() zfm.Packet {
	h.t.Helper()
	buf := make([]byte, 256)
	for {
		if p, ok := h.scan.Next(); ok {
			return p
		}
		n, err := h.port.Read(buf)
		if err != nil {
			h.t.Fatal(err)
		}
		h.scan.Write(buf[:n])
	}
}

func (h *host) wantCode(want zfm.Code) []byte {
	h.t.Helper()
	p := h.next()
	if p.PID != zfm.Ack || zfm.Code(p.Content[0]) != want {
		h.t.Fatalf("answered %v % X, want %02X", p.PID, p.Content, byte(want))
	}
	return bytes.Clone(p.Content[1:])
}

func white(z sample.Sensor) *sample.Sample {
	s := sample.New(z.Width, z.Height, z.PPI)
	for i := range s.Pix {
		s.Pix[i] = 255
	}
	return s
}

// A capture and an upload, byte by byte: 144 packets of 128 bytes, the last of them the end packet.
func TestImageOnTheWire(t *testing.T) {
	s := switchOn(t, Options{Model: R503})
	h := connect(t, s, 57600)
	h.send(0x01)
	h.wantCode(zfm.NoFinger)
	h.send(0x0A)
	h.wantCode(zfm.NoImage)
	finger := white(s.Sensor())
	finger.Pix[0], finger.Pix[1] = 0, 0x80
	if err := s.Press(finger); err != nil {
		t.Fatal(err)
	}
	h.send(0x28)
	h.wantCode(zfm.OK)
	h.send(0x0A)
	h.wantCode(zfm.OK)
	for i := range 144 {
		p := h.next()
		if (p.PID == zfm.End) != (i == 143) || len(p.Content) != 128 {
			t.Fatalf("packet %d: %v with %d bytes", i, p.PID, len(p.Content))
		}
		if i == 0 && p.Content[0] != 0x08 {
			t.Errorf("black left of grey was packed as %02X", p.Content[0])
		}
	}
	if kinds := until(t, s, ImageSent); kinds[Touched] != 1 || kinds[Captured] != 1 || kinds[ImageSent] != 1 || kinds[Commanded] != 4 {
		t.Errorf("events %v", kinds)
	}
}

func drained(s *Sim) map[EventKind]int {
	kinds := map[EventKind]int{}
	for len(s.Events()) > 0 {
		kinds[(<-s.Events()).Kind]++
	}
	return kinds
}

// until counts events up to the first of a kind: the host may have the last byte
// of an image before the module has told that it sent it.
func until(t *testing.T, s *Sim, last EventKind) map[EventKind]int {
	t.Helper()
	kinds := map[EventKind]int{}
	for kinds[last] == 0 {
		select {
		case e := <-s.Events():
			kinds[e.Kind]++
		case <-t.Context().Done():
			t.Fatalf("only events %v", kinds)
		}
	}
	return kinds
}

// What is sent at another rate is not understood; at the module's own it is.
func TestWrongBaud(t *testing.T) {
	s := switchOn(t, Options{Baud: 9600})
	h := connect(t, s, 57600)
	h.send(0x01)
	if err := h.port.SetReadTimeout(20 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if n, _ := h.port.Read(make([]byte, 12)); n > 2 {
		t.Errorf("answered %d bytes at the wrong rate", n)
	}
	if err := h.port.SetMode(&serial.Mode{BaudRate: 9600, DataBits: 8}); err != nil {
		t.Fatal(err)
	}
	if err := h.port.SetReadTimeout(serial.NoTimeout); err != nil {
		t.Fatal(err)
	}
	h.send(0x01)
	h.wantCode(zfm.NoFinger)
}

// Instructions that store are counted, so that a test can show that there were none.
func TestLibraryWritesAreCounted(t *testing.T) {
	s := switchOn(t, Options{})
	h := connect(t, s, 57600)
	h.send(0x06, 1, 0, 0)
	h.wantCode(zfm.OK)
	h.send(0x1D)
	if got := h.wantCode(zfm.OK); !bytes.Equal(got, []byte{0, 1}) {
		t.Errorf("template count % X", got)
	}
	if s.LibraryWrites() != 1 || drained(s)[LibraryWrite] != 1 {
		t.Error("a stored template was not noticed")
	}
}

// The same seed disturbs the same bytes.
func TestNoiseIsSeeded(t *testing.T) {
	hear := func(seed uint64) []byte {
		s, err := New(Options{Seed: seed, Noise: Noise{Drop: .05, Duplicate: .05, Flip: .05}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		return s.disturb(bytes.Repeat([]byte{1, 2, 3, 4}, 100))
	}
	if !bytes.Equal(hear(1), hear(1)) || bytes.Equal(hear(1), hear(2)) {
		t.Error("noise does not follow its seed")
	}
}

// The time that bytes take, added up on a clock of the test's own: 10 bits a byte. The waking from sleeps is late, as
// on a real machine, which must not add up.
func TestPace(t *testing.T) {
	start := time.Unix(0, 0)
	now := start
	p := pace{now: func() time.Time { return now }, sleep: func(d time.Duration) { now = now.Add(d + 100*time.Microsecond) }}
	p.begin()
	const bytes = 20028 // acknowledgement, image and framing of an R503 at packets of 128, and the command
	for sent := 0; sent < bytes; sent += 12 {
		p.spend(12, 115200)
	}
	if took := now.Sub(start).Round(time.Millisecond); took != 1739*time.Millisecond {
		t.Errorf("an image of an R503 takes %v at 115200 baud, should be 1.739 s", took)
	}
	now = now.Add(time.Minute) // idle time is no credit
	idle := now
	p.begin()
	p.spend(115200/10, 115200)
	if took := now.Sub(idle); took < time.Second {
		t.Errorf("after a pause a second's bytes take %v", took)
	}
}

// The touch line: a touch is not lost when nobody waits yet, and not reported twice.
func TestWait(t *testing.T) {
	s := switchOn(t, Options{Model: R558})
	if err := s.Press(white(s.Sensor())); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Wait(ctx); err == nil {
		t.Error("one touch was reported twice")
	}
	if err := s.Press(white(sample.R307)); err == nil || !strings.Contains(err.Error(), "96x100") {
		t.Errorf("a picture of another size: %v", err)
	}
}

// The link leads to the module before and after it was unplugged.
func TestReplug(t *testing.T) {
	link := filepath.Join(t.TempDir(), "sensor")
	s := switchOn(t, Options{Link: link})
	before, _ := os.Readlink(link)
	h := connect(t, s, 57600)
	s.Unplug()
	if _, err := h.port.Read(make([]byte, 300)); err == nil {
		if _, err = h.port.Read(make([]byte, 300)); err == nil { // the first may have held the power-up bytes
			t.Error("the port of an unplugged module still reads")
		}
	}
	if err := s.Replug(); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Readlink(link); err != nil || after == "" || s.Path() != link {
		t.Errorf("link to %q, before to %q: %v", after, before, err)
	}
	h = connect(t, s, 57600)
	h.send(0x01)
	h.wantCode(zfm.NoFinger)
}

// TestUnplugWhileTalking pulls the cable while the host sends: the race detector watches.
func TestUnplugWhileTalking(t *testing.T) {
	s := switchOn(t, Options{})
	for range 100 {
		port, err := os.OpenFile(s.Path(), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		talked := make(chan struct{})
		go func() {
			defer close(talked)
			for range 20 {
				if _, err := port.Write([]byte{0xEF}); err != nil {
					return
				}
			}
		}()
		s.Unplug()
		<-talked
		port.Close()
		if err := s.Replug(); err != nil {
			t.Fatal(err)
		}
	}
}

// The hand's commands, and what they say.
func TestControl(t *testing.T) {
	picture := filepath.Join(t.TempDir(), "finger.pgm")
	if err := os.WriteFile(picture, append([]byte("P5 200 220 255\n"), bytes.Repeat([]byte{200, 40}, 22000)...), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct{ line, answer string }{
		{"press " + picture, "ok\n"},
		{"press", "error: press needs the path of a picture\n"},
		{"lift", "ok\n"},
		{"", ""},
		{"fault drop 3", "ok\n"},
		{"fault drop many", "error: fault drop: \"many\" is no number of times from 1 to 1000\n"},
		{"dance", "error: no command is called \"dance\": try help\n"},
		{"help", Help + "ok\n"},
		{"quit", "ok\n"},
		{"press never read", ""},
	}
	s := switchOn(t, Options{Model: R307})
	var in, want, out strings.Builder
	for _, c := range cases {
		in.WriteString(c.line + "\n")
		want.WriteString(c.answer)
	}
	if err := s.Control(t.Context(), strings.NewReader(in.String()), &out); err != nil {
		t.Fatal(err)
	}
	if out.String() != want.String() {
		t.Errorf("said:\n%s\nwant:\n%s", out.String(), want.String())
	}
	if kinds := drained(s); kinds[Touched] != 1 || kinds[Lifted] != 1 {
		t.Errorf("events %v", kinds)
	}
	if err := s.Fault(Fault{Kind: "meteor"}); err == nil || !strings.Contains(err.Error(), "drop-packet") {
		t.Errorf("unknown fault: %v", err)
	}
	out.Reset()
	if err := s.Control(t.Context(), strings.NewReader("unplug\nplug\nstatus\nfaults\n"), &out); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"model r307", "library writes 0", "duplicate-packet", "path " + s.Path()} {
		if !strings.Contains(out.String(), word) {
			t.Errorf("%q is missing in:\n%s", word, out.String())
		}
	}
}

// Names of models, as the command line takes them.
func TestModelByName(t *testing.T) {
	for _, m := range []Model{R503, R307, R558} {
		if got, err := ModelByName(strings.ToUpper(m.String())); err != nil || got != m {
			t.Errorf("%v: %v, %v", m, got, err)
		}
	}
	if _, err := ModelByName("r1"); err == nil {
		t.Error("an unknown model is accepted")
	}
	if _, err := New(Options{Model: 9}); err == nil {
		t.Error("an unknown model is built")
	}
}
