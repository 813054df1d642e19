package terminal

import (
	"testing"
	"time"

	"github.com/tillprint/tillprint/matcher/synth"
	"github.com/tillprint/tillprint/store"
)

// BenchmarkANewTerminalJoins is a terminal that joins a school of 600 pupils with two fingers each: from its start until it knows them
// all. Hub, store, sealing and the other terminal's work are real and on the same machine.
func BenchmarkANewTerminalJoins(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		s := newSchool(b)
		people := s.pupils(600)
		hall := s.join("hall").run()
		hall.await("current", hall.current)
		var records []store.TemplateRecord
		for i, p := range people {
			for _, position := range []uint8{2, 7} {
				data, err := synth.Template(uint64(2*i) + uint64(position)).MarshalBinary()
				if err != nil {
					b.Fatal(err)
				}
				records = append(records, store.TemplateRecord{Subject: p.Subject, Finger: position, Data: data, Enrolled: time.Now()})
			}
		}
		if err := hall.custody.Enrol(b.Context(), records); err != nil {
			b.Fatal(err)
		}
		hall.client.Wake()
		hall.await("nothing waits", hall.current)
		yard := s.join("yard")
		b.StartTimer()
		yard.run()
		yard.await("yard knows all fingers", func() bool { return yard.gallery.Len() == len(records) })
		b.StopTimer()
		yard.stopAll()
		hall.stopAll()
		b.StartTimer()
	}
}
