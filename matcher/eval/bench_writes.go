package eval

import (
	"context"
	"time"

	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/synth"
)

// Writes says how long it takes to add and to remove one subject, of two
// fingers with three presses each, while another goroutine searches.
type Writes struct {
	Count       int     `json:"count"` // of each, beside benchBeside searches
	AddMSP50    float64 `json:"add_ms_p50"`
	AddMSP99    float64 `json:"add_ms_p99"`
	RemoveMSP50 float64 `json:"remove_ms_p50"`
	RemoveMSP99 float64 `json:"remove_ms_p99"`
}

const (
	benchBeside  = 20 // searches, one after the other
	benchWrites  = 15 // subjects added and removed while each of them runs
	benchPresses = 3
)

// write measures adding and removing beside searches.
func (b *bench) write(ctx context.Context) error {
	w := &b.result.Writes
	var fingers [2][]*matcher.Template
	for i := range fingers {
		made := synth.Template(1<<33 + uint64(i))
		for press := range uint64(benchPresses) {
			fingers[i] = append(fingers[i], synth.Press(made, press))
		}
	}
	begun, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(begun)
		ended <- b.searchBeside(ctx, begun)
	}()
	var added, removed []time.Duration
	for range begun {
		for range benchWrites {
			began := b.Now()
			for i, views := range fingers {
				if err := b.gallery.Add("newcomer", uint8(1+i), views...); err != nil {
					return err
				}
			}
			between := b.Now()
			b.gallery.RemoveSubject("newcomer")
			added, removed = append(added, between.Sub(began)), append(removed, b.Now().Sub(between))
		}
	}
	if err := <-ended; err != nil {
		return err
	}
	w.Count = len(added)
	w.AddMSP50, w.AddMSP99 = quantile(added, 0.5, time.Millisecond), quantile(added, 0.99, time.Millisecond)
	w.RemoveMSP50, w.RemoveMSP99 = quantile(removed, 0.5, time.Millisecond), quantile(removed, 0.99, time.Millisecond)
	return nil
}

// searchBeside searches for one probe after the other and says when each begins.
func (b *bench) searchBeside(ctx context.Context, begun chan<- struct{}) error {
	for i := range benchBeside {
		begun <- struct{}{}
		if _, _, err := b.once(ctx, &b.probes[i%len(b.probes)]); err != nil {
			return err
		}
	}
	return nil
}
