package zfmsim

import (
	"fmt"
	"strings"
	"time"

	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/matcher/sample"
)

// Model is a module that can be simulated.
type Model uint8

// The models.
const (
	R503 Model = iota // 192x192, capacitive, ring light
	R307              // 256x288, optical, classic instructions
	R558              // 96x100, capacitive, newer Synochip instructions
)

// traits are what tells one model from another.
type traits struct {
	sensor     sample.Sensor
	family     zfm.Family
	systemID   uint16
	capacity   uint16
	baudAtOnce bool          // takes a new rate right after the acknowledgement, not after a restart
	lacking    zfm.Code      // answer to an instruction that it does not have
	capture    time.Duration // of a finger; the manuals give only upper bounds, 0.2 s (R503) and 1 s (ZFM)
	empty      time.Duration // until it has seen that there is no finger
}

var models = [...]traits{
	R503: {sensor: sample.R503, family: zfm.R503, capacity: 200, lacking: zfm.NotSupported,
		capture: 150 * time.Millisecond, empty: 40 * time.Millisecond},
	R307: {sensor: sample.R307, family: zfm.ZFM, systemID: 9, capacity: 1000, baudAtOnce: true, lacking: zfm.BadPacket,
		capture: 300 * time.Millisecond, empty: 80 * time.Millisecond},
	R558: {sensor: sample.R558, family: zfm.ZW, systemID: 1024, capacity: 100, baudAtOnce: true, lacking: zfm.BadPacket,
		capture: 150 * time.Millisecond, empty: 40 * time.Millisecond},
}

// ModelByName finds a model by its sensor's name, in upper or lower case.
func ModelByName(name string) (Model, error) {
	for i, t := range models {
		if strings.EqualFold(t.sensor.Name, name) {
			return Model(i), nil
		}
	}
	return 0, fmt.Errorf("no simulated sensor is called %q; there are r503, r307 and r558", name)
}

// String is the model's name, as ModelByName takes it.
func (m Model) String() string { return strings.ToLower(models[m].sensor.Name) }
