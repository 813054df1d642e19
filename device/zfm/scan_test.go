package zfm_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/device/zfm/zfmsim"
)

var models = []zfmsim.Model{zfmsim.R503, zfmsim.R307, zfmsim.R558}

// Every model: found, told apart, raised to the fast rate, and its image received twice, row by row.
func TestScan(t *testing.T) {
	t.Parallel()
	families := map[zfmsim.Model]zfm.Family{zfmsim.R503: zfm.R503, zfmsim.R307: zfm.ZFM, zfmsim.R558: zfm.ZW}
	for _, model := range models {
		t.Run(model.String(), func(t *testing.T) {
			t.Parallel()
			sim := switchOn(t, zfmsim.Options{Model: model, Baud: 57600})
			m := open(t, sim, zfm.Options{})
			if info := m.Info(); info.Family != families[model] || info.Baud != 115200 || info.PacketSize != 128 {
				t.Fatalf("opened as %+v", info)
			}
			if _, _, err := m.Scan(t.Context(), nil); !errors.Is(err, zfm.ErrNoFinger) {
				t.Fatalf("without a finger: %v", err)
			}
			for seed := range uint64(2) {
				finger := press(t, sim, seed)
				next := 0
				got, timing, err := m.Scan(t.Context(), func(y int, row []byte) {
					if y != next || !bytes.Equal(row, finger.Pix[y*finger.Width:][:finger.Width]) {
						t.Errorf("row %d is wrong or out of order", y)
					}
					next++
				})
				if err != nil {
					t.Fatal(err)
				}
				same(t, got, finger)
				if next != finger.Height || timing.Uploads != 1 || timing.Wire <= 0 || timing.Capture <= 0 {
					t.Errorf("%d rows, timing %+v", next, timing)
				}
			}
			info, z := m.Info(), sim.Sensor()
			if info.Width != z.Width || info.Height != z.Height || info.PPI != z.PPI {
				t.Errorf("geometry %+v", info)
			}
		})
	}
}
