package extract

import (
	"testing"

	"github.com/tillprint/tillprint/matcher"
)

// BenchmarkExtract measures whole images of the sensors' sizes, all ridges: the
// worst case, since background costs next to nothing.
func BenchmarkExtract(b *testing.B) {
	for _, size := range []struct {
		name          string
		width, height int
		ppi           float64
	}{
		{"R307_256x288", 256, 288, 500},
		{"R503_192x192", 192, 192, 508},
		{"R558_96x100", 96, 100, 508},
	} {
		b.Run(size.name, func(b *testing.B) {
			p := scattered
			p.levels, p.noise = 16, 10
			s := p.draw(size.width, size.height, size.ppi)
			e, t := New(), new(matcher.Template)
			if err := e.ExtractInto(t, s); err != nil { // sizes the buffers
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := e.ExtractInto(t, s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEnd measures what is left to do once the last row has arrived.
func BenchmarkEnd(b *testing.B) {
	s := scattered.draw(192, 192, 508)
	e, t := New(), new(matcher.Template)
	for b.Loop() {
		b.StopTimer()
		e.Begin(s.Width, s.Height, s.PPI)
		for y := range s.Height {
			e.Row(y, s.Pix[y*s.Width:(y+1)*s.Width])
		}
		b.StartTimer()
		if err := e.finish(t); err != nil {
			b.Fatal(err)
		}
	}
}
