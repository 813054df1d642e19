package zfm_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/device/zfm/zfmsim"
)

// A cancelled context ends a call in the middle of an image; the next call is not disturbed by the rest of it.
func TestCancelDuringImage(t *testing.T) {
	t.Parallel()
	sim := switchOn(t, zfmsim.Options{})
	m := open(t, sim, patient)
	finger := press(t, sim, 1)
	ctx, cancel := context.WithCancel(t.Context())
	rows := 0
	_, _, err := m.Scan(ctx, func(y int, _ []byte) {
		if rows++; y == 20 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("ended with %v after %d rows", err, rows)
	}
	got, timing, err := m.Scan(t.Context(), nil)
	if err != nil || timing.Uploads != 1 {
		t.Fatalf("%+v, %v", timing, err)
	}
	same(t, got, finger)
}

// An error from the row function ends the upload: enough was seen.
func TestStopEarly(t *testing.T) {
	t.Parallel()
	sim := switchOn(t, zfmsim.Options{})
	m := open(t, sim, patient)
	press(t, sim, 1)
	if err := m.Capture(t.Context()); err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	last := 0
	_, err := m.Upload(t.Context(), func(y int, _ []byte) error {
		if last = y; y == 99 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || last != 99 {
		t.Fatalf("ended with %v after row %d", err, last)
	}
	if g, err := m.Upload(t.Context(), func(int, []byte) error { return nil }); err != nil || g.Width != 192 {
		t.Errorf("the same image again: %v, %v", g, err)
	}
}

// The acknowledgement of a cancelled command is not taken for that of the next one.
func TestLateAck(t *testing.T) {
	t.Parallel()
	var gate sync.Mutex // held: the module takes its time over the capture
	sim := switchOn(t, zfmsim.Options{Model: zfmsim.R307, Paced: true, Now: time.Now, Sleep: func(d time.Duration) {
		if d >= 50*time.Millisecond {
			gate.Lock()
			defer gate.Unlock()
		}
	}})
	m := open(t, sim, zfm.Options{Reply: 5 * time.Second, Bauds: []int{115200}})
	for len(sim.Events()) > 0 {
		<-sim.Events()
	}
	gate.Lock()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for e := range sim.Events() {
			if e.Kind == zfmsim.Commanded && e.Instruction == zfm.CaptureImage {
				cancel()
				return
			}
		}
	}()
	if err := m.Capture(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("ended with %v", err)
	}
	time.AfterFunc(time.Millisecond, gate.Unlock)
	if n, err := m.TemplateCount(t.Context()); err != nil || n != 0 {
		t.Errorf("took the late answer: %d, %v", n, err)
	}
}

// Close ends a call under way and later ones; closing twice is allowed.
func TestClose(t *testing.T) {
	t.Parallel()
	sim := switchOn(t, zfmsim.Options{})
	m := open(t, sim, zfm.Options{Reply: time.Hour})
	sim.Fault(zfmsim.Fault{Kind: zfmsim.Hang})
	go func() {
		for e := range sim.Events() {
			if e.Kind == zfmsim.Faulted {
				m.Close()
				return
			}
		}
	}()
	if err := m.Capture(t.Context()); !errors.Is(err, zfm.ErrClosed) {
		t.Errorf("the call under way: %v", err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if err := m.Capture(t.Context()); !errors.Is(err, zfm.ErrClosed) {
		t.Errorf("a later call: %v", err)
	}
}

// Many goroutines may call at once; each gets its own answer.
func TestConcurrentCalls(t *testing.T) {
	t.Parallel()
	sim := switchOn(t, zfmsim.Options{})
	m := open(t, sim, zfm.Options{})
	finger := press(t, sim, 1)
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			page := zfm.NotepadPage{byte(i)}
			if err := m.WriteNotepad(t.Context(), i, page); err != nil {
				t.Error(err)
			}
			if got, err := m.ReadNotepad(t.Context(), i); err != nil || got != page {
				t.Errorf("page %d: %v, %v", i, got, err)
			}
			if s, _, err := m.Scan(t.Context(), nil); err != nil || !cmp.Equal(s, finger) {
				t.Errorf("scan: %v", err)
			}
			m.Info()
		})
	}
	group.Wait()
}

// WaitFinger polls until a finger is there.
func TestWaitFinger(t *testing.T) {
	t.Parallel()
	sim := switchOn(t, zfmsim.Options{})
	m := open(t, sim, zfm.Options{})
	asked := 0
	go func() {
		for e := range sim.Events() {
			if e.Kind == zfmsim.Commanded && e.Instruction == zfm.CaptureImageEx {
				if asked++; asked == 3 {
					sim.Press(noise(sim.Sensor(), 1))
					return
				}
			}
		}
	}()
	if err := m.WaitFinger(t.Context(), time.Millisecond); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	sim.Lift()
	cancel()
	if err := m.WaitFinger(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// The light in each family's own wording.
func TestLight(t *testing.T) {
	t.Parallel()
	want := map[zfmsim.Model][]byte{
		zfmsim.R503: {1, 80, 3, 5}, // breathing, speed, purple, five times
		zfmsim.R558: {1, 5, 5, 5},  // breathing, from red and blue to the same, five times
		zfmsim.R307: {},
	}
	for _, model := range models {
		t.Run(model.String(), func(t *testing.T) {
			t.Parallel()
			sim := switchOn(t, zfmsim.Options{Model: model})
			m := open(t, sim, patient)
			if err := m.LED(t.Context(), zfm.Light{Mode: zfm.Breathing, Colour: zfm.Purple, Speed: 80, Cycles: 5}); err != nil {
				t.Fatal(err)
			}
			if got := sim.Light(); !cmp.Equal(got, want[model]) && len(want[model]) > 0 {
				t.Errorf("sent % X", got)
			}
			press(t, sim, 1)
			if err := m.Capture(t.Context()); err != nil {
				t.Error(err)
			}
			if err := m.LED(t.Context(), zfm.Light{Mode: zfm.Off}); err != nil {
				t.Error(err)
			}
			if err := m.LED(t.Context(), zfm.Light{Mode: 9, Colour: zfm.Red}); !errors.Is(err, zfm.ErrUnsupported) {
				t.Errorf("a mode that does not exist: %v", err)
			}
			captures := ""
			for len(sim.Events()) > 0 {
				if e := <-sim.Events(); e.Kind == zfmsim.Commanded && strings.HasPrefix(e.Instruction.String(), "capture") {
					captures += e.Instruction.String()
				}
			}
			if model == zfmsim.R307 && captures != "capture image (52)" {
				t.Errorf("a lit ZFM was asked to %s, which puts the light out", captures)
			}
		})
	}
}

// Each family answers what it can; what it cannot is said without asking it.
func TestUpkeep(t *testing.T) {
	t.Parallel()
	for _, model := range models {
		t.Run(model.String(), func(t *testing.T) {
			t.Parallel()
			sim := switchOn(t, zfmsim.Options{Model: model})
			m := open(t, sim, patient)
			ctx := t.Context()
			p, err := m.Parameters(ctx)
			if err != nil || p.BaudUnits != 12 || p.PacketSize != 128 || p.Address != zfm.DefaultAddress {
				t.Errorf("parameters %+v, %v", p, err)
			}
			if n, err := m.TemplateCount(ctx); n != 0 || err != nil {
				t.Errorf("templates %d, %v", n, err)
			}
			if _, err := m.Random(ctx); err != nil {
				t.Error(err)
			}
			for _, size := range []int{32, 256, 128} {
				if err := m.SetPacketSize(ctx, size); err != nil || m.Info().PacketSize != size {
					t.Errorf("packets of %d: %v", size, err)
				}
				finger := press(t, sim, uint64(size))
				got, _, err := m.Scan(ctx, nil)
				if err != nil {
					t.Fatal(err)
				}
				same(t, got, finger)
			}
			if err := m.SetPacketSize(ctx, 100); !errors.Is(err, zfm.ErrUnsupported) {
				t.Errorf("packets of 100: %v", err)
			}
			if err := m.Echo(ctx); err != nil {
				t.Errorf("echo: %v", err)
			}
			r503, ring := model == zfmsim.R503, model != zfmsim.R307
			_, algorithm := m.Algorithm(ctx)
			for name, c := range map[string]struct {
				err error
				can bool
			}{
				"cancel":       {m.Cancel(ctx), ring},
				"check sensor": {m.CheckSensor(ctx), ring},
				"stand by":     {m.StandBy(ctx), model == zfmsim.R558},
				"soft reset":   {m.SoftReset(ctx), r503},
				"algorithm":    {algorithm, r503},
			} {
				if (c.err == nil) != c.can || !c.can && !errors.Is(c.err, zfm.ErrUnsupported) {
					t.Errorf("%s: %v", name, c.err)
				}
			}
			pages := map[bool]int{true: 4, false: 16}[model == zfmsim.R558]
			if err := m.WriteNotepad(ctx, pages, zfm.NotepadPage{}); !errors.Is(err, zfm.ErrUnsupported) {
				t.Errorf("notepad page %d: %v", pages, err)
			}
		})
	}
}

// A page whose acknowledgement is lost is read back, and a stray acknowledgement before it is not believed: in neither
// case is the page written twice.
func TestNotepadWrittenOnce(t *testing.T) {
	t.Parallel()
	for _, kind := range []zfmsim.FaultKind{zfmsim.Silent, zfmsim.StaleAck} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			sim := switchOn(t, zfmsim.Options{})
			m := open(t, sim, patient)
			for len(sim.Events()) > 0 {
				<-sim.Events()
			}
			sim.Fault(zfmsim.Fault{Kind: kind})
			if err := m.WriteNotepad(t.Context(), 1, zfm.NotepadPage{1, 2, 3}); err != nil {
				t.Fatal(err)
			}
			writes := 0
			for len(sim.Events()) > 0 {
				if e := <-sim.Events(); e.Kind == zfmsim.Commanded && e.Instruction == zfm.WriteNotepad {
					writes++
				}
			}
			if writes != 1 {
				t.Errorf("written %d times", writes)
			}
		})
	}
}
