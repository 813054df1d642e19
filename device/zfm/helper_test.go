package zfm_test

import (
	"bytes"
	"context"
	"flag"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/device/zfm/zfmsim"
	"github.com/tillprint/tillprint/matcher/sample"
)

// TestMain lets many tests run side by side: they wait for a module that answers too late or not at all, and compute
// next to nothing.
func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "16")
	os.Exit(m.Run())
}

// switchOn runs a simulated module until the test ends, when it also checks that nothing ever wrote into the module's
// template library. Unless told otherwise the module listens at the fast rate already.
func switchOn(t *testing.T, o zfmsim.Options) *zfmsim.Sim {
	t.Helper()
	if o.Baud == 0 {
		o.Baud = 115200
	}
	sim, err := zfmsim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); sim.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ended
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
		if n := sim.LibraryWrites(); n != 0 {
			t.Errorf("the driver wrote %d times into the module's template library", n)
		}
	})
	return sim
}

// patient is a driver with twice the patience of one in service, so that a busy machine does not look like a silent module.
var patient = zfm.Options{Reply: 2 * time.Second}

func open(t *testing.T, sim *zfmsim.Sim, o zfm.Options) *zfm.Module {
	t.Helper()
	m, err := zfm.Open(t.Context(), sim.Path(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// noise is a finger-sized picture of random grey levels such as the sensor has: no two pixels in a row tell its order.
func noise(z sample.Sensor, seed uint64) *sample.Sample {
	rng := rand.New(rand.NewPCG(seed, 1))
	s := sample.New(z.Width, z.Height, z.PPI)
	for i := range s.Pix {
		s.Pix[i] = byte(rng.IntN(16) * 17)
	}
	return s
}

func press(t *testing.T, sim *zfmsim.Sim, seed uint64) *sample.Sample {
	t.Helper()
	finger := noise(sim.Sensor(), seed)
	if err := sim.Press(finger); err != nil {
		t.Fatal(err)
	}
	return finger
}

func same(t *testing.T, got, want *sample.Sample) {
	t.Helper()
	if got == nil || got.Width != want.Width || got.Height != want.Height || got.PPI != want.PPI || !bytes.Equal(got.Pix, want.Pix) {
		t.Fatal("the image received is not the one on the glass")
	}
}
