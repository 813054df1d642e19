package zfm_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/device/zfm/zfmsim"
)

// Each disturbance of the line is overcome without a new press: the image that arrives is the one on the glass.
func TestFaultsOvercome(t *testing.T) {
	t.Parallel()
	kinds := []zfmsim.FaultKind{zfmsim.DropByte, zfmsim.DuplicateByte, zfmsim.FlipBit, zfmsim.DropPacket, zfmsim.DuplicatePacket,
		zfmsim.DropAck, zfmsim.FlipAck, zfmsim.Silent, zfmsim.StaleAck, zfmsim.PowerUp, zfmsim.Restart, zfmsim.Forget}
	for _, model := range []zfmsim.Model{zfmsim.R503, zfmsim.R558} {
		for _, kind := range kinds {
			t.Run(model.String()+" "+string(kind), func(t *testing.T) {
				t.Parallel()
				sim := switchOn(t, zfmsim.Options{Model: model, Seed: 5, Password: 9})
				m := open(t, sim, zfm.Options{Reply: 2 * time.Second, Password: 9})
				finger := press(t, sim, 1)
				if err := sim.Fault(zfmsim.Fault{Kind: kind}); err != nil {
					t.Fatal(err)
				}
				got, _, err := m.Scan(t.Context(), nil)
				if err != nil {
					t.Fatal(err)
				}
				same(t, got, finger)
				harmless := slices.Contains([]zfmsim.FaultKind{zfmsim.StaleAck, zfmsim.PowerUp, zfmsim.Forget, zfmsim.Restart}, kind)
				if n := m.Info().LineErrors; n == 0 && !harmless {
					t.Error("no line error was counted")
				}
				again, timing, err := m.Scan(t.Context(), nil)
				if err != nil || timing.Uploads != 1 {
					t.Fatalf("the scan after it: %+v, %v", timing, err)
				}
				same(t, again, finger)
			})
		}
	}
}

// Noise of every kind, at many seeds: the image that Scan returns is right, or Scan says what is wrong.
func TestNoiseNeverYieldsAWrongImage(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			const often = 1.0 / 12000 // of a byte to be lost, doubled or changed; an image of an R558 takes 5,230
			sim := switchOn(t, zfmsim.Options{Model: zfmsim.R558, Seed: seed,
				Noise: zfmsim.Noise{Drop: often, Duplicate: often, Flip: often}})
			m, err := zfm.Open(t.Context(), sim.Path(), zfm.Options{Reply: 2 * time.Second})
			if err != nil {
				t.Skipf("not even opened through this noise: %v", err)
			}
			defer m.Close()
			finger := press(t, sim, seed)
			got, timing, err := m.Scan(t.Context(), nil)
			if err != nil {
				if !errors.Is(err, zfm.ErrLine) && !errors.Is(err, zfm.ErrGeometry) && !errors.Is(err, zfm.ErrNoModule) {
					t.Errorf("failed with %v", err)
				}
				return
			}
			t.Logf("%d uploads", timing.Uploads)
			same(t, got, finger)
		})
	}
}

// A module that sends another size than it stands for is called out, in words, and not used.
func TestGeometryLies(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		sim  zfmsim.Options
		says string
	}{
		{"declares too much", zfmsim.Options{DeclareWidth: 256, DeclareHeight: 288},
			"module stands for 256x288 pixels but sent 18432 bytes, a 192x192 image: correct the sensor's width and height in the config, or replace the module"},
		{"declares too little", zfmsim.Options{DeclareWidth: 96, DeclareHeight: 100},
			"module stands for 96x100 pixels but sent 18432 bytes, a 192x192 image: correct the sensor's width and height in the config, or replace the module"},
		{"sends a size of nothing known", zfmsim.Options{Model: zfmsim.R307, SendBytes: 1000},
			"module sent 1000 bytes, the size of no known sensor: set the sensor's width and height in the config, or replace the module"},
		{"sends without end", zfmsim.Options{Model: zfmsim.R307, SendBytes: 1 << 17},
			"receiving the image failed 3 times: check the sensor's cable: "},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sim := switchOn(t, c.sim)
			m := open(t, sim, patient)
			press(t, sim, 1)
			s, _, err := m.Scan(t.Context(), nil)
			if s != nil || err == nil || !strings.HasPrefix(err.Error(), c.says) {
				t.Errorf("says: %v", err)
			}
			if err := m.Echo(t.Context()); err != nil {
				t.Errorf("the module is lost after it: %v", err)
			}
		})
	}
}

// A sensor of an uncommon size works when the config names it.
func TestGeometryFromConfig(t *testing.T) {
	t.Parallel()
	sim := switchOn(t, zfmsim.Options{Model: zfmsim.R307, SendBytes: 160 * 120 / 2})
	m := open(t, sim, zfm.Options{Width: 160, Height: 120})
	press(t, sim, 1)
	s, _, err := m.Scan(t.Context(), nil)
	if err != nil || s.Width != 160 || s.Height != 120 {
		t.Errorf("%v, %v", s, err)
	}
}

// A confirmation code that nobody documented reaches the caller with its number.
func TestUnknownCode(t *testing.T) {
	t.Parallel()
	sim := switchOn(t, zfmsim.Options{})
	m := open(t, sim, patient)
	sim.Fault(zfmsim.Fault{Kind: zfmsim.OddCode})
	err := m.Capture(t.Context())
	var code *zfm.CodeError
	if !errors.As(err, &code) || code.Code != 0xC7 || code.Instruction != zfm.CaptureImageEx || code.Family != zfm.R503 {
		t.Fatalf("%#v", err)
	}
	if got, want := err.Error(), "module refused capture image (28): unknown code (code C7)"; got != want {
		t.Errorf("says %q", got)
	}
}

// A module that hangs ends each call with a sentence, by the command's own deadline.
func TestHang(t *testing.T) {
	t.Parallel()
	sim := switchOn(t, zfmsim.Options{})
	m := open(t, sim, zfm.Options{Reply: 200 * time.Millisecond})
	sim.Fault(zfmsim.Fault{Kind: zfmsim.Hang})
	if _, _, err := m.Scan(context.Background(), nil); !errors.Is(err, zfm.ErrNoModule) {
		t.Errorf("ended with %v", err)
	}
}

// A pulled cable ends the call; the port can be opened again when it is back.
func TestUnplug(t *testing.T) {
	t.Parallel()
	for _, middle := range []bool{false, true} {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			sim := switchOn(t, zfmsim.Options{Link: t.TempDir() + "/sensor", Seed: 4})
			m := open(t, sim, patient)
			finger := press(t, sim, 1)
			if middle {
				sim.Fault(zfmsim.Fault{Kind: zfmsim.Pull})
			} else {
				sim.Unplug()
			}
			if _, _, err := m.Scan(t.Context(), nil); !errors.Is(err, zfm.ErrUnplugged) {
				t.Fatalf("ended with %v", err)
			}
			if err := m.Capture(t.Context()); !errors.Is(err, zfm.ErrUnplugged) {
				t.Fatalf("the call after it: %v", err)
			}
			m.Close()
			if err := sim.Replug(); err != nil {
				t.Fatal(err)
			}
			got, _, err := open(t, sim, patient).Scan(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			same(t, got, finger)
		})
	}
}

// A module that restarts in the middle of an image has lost it: the caller hears so, and the next scan works.
func TestRestartDuringImage(t *testing.T) {
	t.Parallel()
	sim := switchOn(t, zfmsim.Options{Password: 3, Seed: 8})
	m := open(t, sim, zfm.Options{Password: 3, Reply: 2 * time.Second})
	finger := press(t, sim, 1)
	sim.Fault(zfmsim.Fault{Kind: zfmsim.CutOff})
	_, _, err := m.Scan(t.Context(), nil)
	var code *zfm.CodeError
	if !errors.As(err, &code) || code.Code != zfm.NoImage {
		t.Fatalf("ended with %v", err)
	}
	got, _, err := m.Scan(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, finger)
}

// The trace of the last finger is an image like any other to the module; what it is worth is the matcher's question.
func TestLatent(t *testing.T) {
	t.Parallel()
	sim := switchOn(t, zfmsim.Options{Model: zfmsim.R558})
	m := open(t, sim, patient)
	press(t, sim, 1)
	sim.Lift()
	sim.Fault(zfmsim.Fault{Kind: zfmsim.Latent})
	s, _, err := m.Scan(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range s.Pix {
		if v < 12*17 {
			t.Fatalf("a trace as dark as %d", v)
		}
	}
	if found, err := m.Present(t.Context()); found || err != nil {
		t.Errorf("afterwards: %t, %v", found, err)
	}
}
