package zfm_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/device/zfm/zfmsim"
)

// Everything that can be wrong when a sensor is opened gets one sentence that says what to do next.
func TestOpenErrors(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	sim := func(o zfmsim.Options) func(*testing.T) string {
		return func(t *testing.T) string { return switchOn(t, o).Path() }
	}
	path := func(p string) func(*testing.T) string { return func(*testing.T) string { return p } }
	cases := []struct {
		name    string
		path    func(*testing.T) string
		options zfm.Options
		is      error
		says    string
	}{
		{"no such path", path("/dev/no-such-uart"), patient, fs.ErrNotExist, "connect the sensor, or correct its path"},
		{"a device that is no UART", path("/dev/null"), patient, zfm.ErrNotSerial, "put the path of the sensor's UART"},
		{"a file", path(file), patient, zfm.ErrNotSerial, "put the path of the sensor's UART"},
		{"busy", func(t *testing.T) string {
			s := switchOn(t, zfmsim.Options{})
			open(t, s, zfm.Options{})
			return s.Path()
		}, patient, zfm.ErrBusy, "used by another program: stop it"},
		{"nobody answers", func(t *testing.T) string {
			s := switchOn(t, zfmsim.Options{})
			s.Fault(zfmsim.Fault{Kind: zfmsim.Hang})
			return s.Path()
		}, zfm.Options{Reply: 100 * time.Millisecond, Bauds: []int{115200, 57600}}, zfm.ErrNoModule, "at 115200, 57600 baud: check its supply"},
		{"another rate than allowed", sim(zfmsim.Options{Baud: 19200}),
			zfm.Options{Reply: 100 * time.Millisecond, Bauds: []int{57600}}, zfm.ErrNoModule, "check its supply"},
		{"another password", sim(zfmsim.Options{Password: 7}), patient, zfm.ErrPassword, "set the sensor's password in the config"},
		{"declares no pixels", sim(zfmsim.Options{DeclareWidth: 65535, DeclareHeight: 65535}), patient, zfm.ErrGeometry,
			"65535x65535 pixels, which no sensor of its kind has: replace the module"},
		{"odd size in the config", sim(zfmsim.Options{}), zfm.Options{Width: 191, Height: 192}, zfm.ErrGeometry, "the width even"},
		{"a rate that no module has", sim(zfmsim.Options{}), zfm.Options{Baud: 96_0000}, zfm.ErrUnsupported, "use 57600 or 115200"},
		{"a rate that this family lacks", sim(zfmsim.Options{}), zfm.Options{Baud: 28800}, zfm.ErrUnsupported, "use 57600 or 115200"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, err := zfm.Open(t.Context(), c.path(t), c.options)
			if err == nil {
				m.Close()
				t.Fatal("opened")
			}
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("says: %v", err)
			}
		})
	}
}

// A module is found at whatever legal rate it listens and ends at the fast one.
func TestOpenAtEveryRate(t *testing.T) {
	t.Parallel()
	for _, baud := range []int{115200, 57600, 9600, 38400} {
		for _, model := range []zfmsim.Model{zfmsim.R503, zfmsim.R307} {
			t.Run(model.String(), func(t *testing.T) {
				t.Parallel()
				sim := switchOn(t, zfmsim.Options{Model: model, Baud: baud, Seed: uint64(baud)})
				m := open(t, sim, patient)
				if got := m.Info().Baud; got != 115200 {
					t.Errorf("from %d baud to %d", baud, got)
				}
				finger := press(t, sim, 3)
				got, _, err := m.Scan(t.Context(), nil)
				if err != nil {
					t.Fatal(err)
				}
				same(t, got, finger)
			})
		}
	}
}

// The rate stays as found when the config says so, and can be set later.
func TestSetBaud(t *testing.T) {
	t.Parallel()
	sim := switchOn(t, zfmsim.Options{Model: zfmsim.R307, Baud: 57600})
	m := open(t, sim, zfm.Options{Baud: -1})
	if got := m.Info().Baud; got != 57600 {
		t.Fatalf("rate changed to %d", got)
	}
	for _, baud := range []int{9600, 115200, 115200} {
		if err := m.SetBaud(t.Context(), baud); err != nil || m.Info().Baud != baud {
			t.Fatalf("set to %d: %v, at %d", baud, err, m.Info().Baud)
		}
	}
	if err := m.SetBaud(t.Context(), 960000); !errors.Is(err, zfm.ErrUnsupported) {
		t.Errorf("960000 baud: %v", err)
	}
}

// No instruction whose number has a second meaning is sent before the family is known.
func TestFamilyBeforeCollidingInstructions(t *testing.T) {
	t.Parallel()
	colliding := map[zfm.Instruction]bool{0x31: true, 0x32: true, 0x3C: true, 0x3D: true}
	want := map[zfmsim.Model]zfm.Family{zfmsim.R503: zfm.R503, zfmsim.R307: zfm.ZFM, zfmsim.R558: zfm.ZW}
	for _, model := range models {
		// With system number 0 the parameters tell nothing, and the module has to be asked.
		for _, id := range []int{0, -1} {
			t.Run(model.String(), func(t *testing.T) {
				t.Parallel()
				sim := switchOn(t, zfmsim.Options{Model: model, SystemID: id})
				m := open(t, sim, zfm.Options{Reply: 2 * time.Second, Baud: -1})
				if got := m.Info().Family; got != want[model] {
					t.Fatalf("found family %v", got)
				}
				known := id == 0 && want[model] != zfm.R503 // told by the parameters alone
				for len(sim.Events()) > 0 {
					e := <-sim.Events()
					if e.Kind != zfmsim.Commanded {
						continue
					}
					if colliding[e.Instruction] && want[model] != zfm.R503 || known && e.Instruction >= 0x28 {
						t.Errorf("sent %v to a %v", e.Instruction, model)
					}
				}
			})
		}
	}
}

// The config can name the family; then nothing is asked.
func TestFamilyFromConfig(t *testing.T) {
	t.Parallel()
	sim := switchOn(t, zfmsim.Options{Model: zfmsim.R558, SystemID: -1})
	m := open(t, sim, zfm.Options{Family: zfm.ZW})
	if got := m.Info().Family; got != zfm.ZW {
		t.Errorf("family %v", got)
	}
	var f zfm.Family
	for _, name := range []string{"auto", "zfm", "r503", "zw"} {
		if err := f.UnmarshalText([]byte(name)); err != nil || f.String() != name {
			t.Errorf("%q reads as %v: %v", name, f, err)
		}
	}
	if err := f.UnmarshalText([]byte("r504")); err == nil {
		t.Error("an unknown family is accepted")
	}
}

// Opening ends with its context even when nobody answers.
func TestOpenCancelled(t *testing.T) {
	t.Parallel()
	sim := switchOn(t, zfmsim.Options{})
	sim.Fault(zfmsim.Fault{Kind: zfmsim.Hang})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for e := range sim.Events() {
			if e.Kind == zfmsim.Faulted {
				cancel()
				return
			}
		}
	}()
	if _, err := zfm.Open(ctx, sim.Path(), zfm.Options{Reply: time.Hour}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}
