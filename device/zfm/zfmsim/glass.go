package zfmsim

import (
	"context"
	"fmt"

	"github.com/tillprint/tillprint/matcher/sample"
)

// Press lays a finger on the glass: img as the sensor sees it, of exactly the model's size. The finger stays until Lift
// or the next Press. The caller keeps img.
func (s *Sim) Press(img *sample.Sample) error {
	z := s.traits.sensor
	if img == nil || img.Width != z.Width || img.Height != z.Height || len(img.Pix) != z.Width*z.Height {
		return fmt.Errorf("a finger on a %s has %dx%d pixels: bring the picture to that size with sample.Sensor.Press", z.Name, z.Width, z.Height)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.glass = pack(img.Pix)
	s.last = s.glass
	s.emit(Event{Kind: Touched})
	select {
	case s.touch <- struct{}{}:
	default:
	}
	return nil
}

// Lift takes the finger away.
func (s *Sim) Lift() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.glass != nil {
		s.glass = nil
		s.emit(Event{Kind: Lifted})
	}
}

// Wait returns at the next touch of the glass, or at once after one that nobody waited for: the module's touch line.
func (s *Sim) Wait(ctx context.Context) error {
	select {
	case <-s.touch:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pack keeps the upper four bits of each pixel, the left one in the high nibble.
func pack(pixels []byte) []byte {
	packed := make([]byte, len(pixels)/2)
	for i := range packed {
		packed[i] = pixels[2*i]&0xF0 | pixels[2*i+1]>>4
	}
	return packed
}
