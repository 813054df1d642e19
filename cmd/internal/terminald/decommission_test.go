package terminald

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tillprint/tillprint/device/zfm/zfmsim"
)

// TestTheSensorsOwnMemoryIsLookedAt: the certificate says what the module answers, and what could not be asked.
func TestTheSensorsOwnMemoryIsLookedAt(t *testing.T) {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	sim, err := zfmsim.New(zfmsim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	go sim.Run(ctx)
	c := Default()
	for port, want := range map[string]string{sim.Path(): "looked at and holds 0 templates", "": "not looked at", "/dev/nosuch": "could not be looked at"} {
		c.Sensor.Port = port
		if said := c.sensorMemory(ctx); !strings.Contains(said, want) {
			t.Errorf("%q: %q, want %q", port, said, want)
		}
	}
	if sim.LibraryWrites() != 0 {
		t.Error("looking has written into the module's memory")
	}
}
