package sample

import (
	"fmt"
	"strings"
)

// Sensor is the glass of a fingerprint module as its data sheet states it.
type Sensor struct {
	Name          string
	Width, Height int     // pixels
	PPI           float64 // pixels per inch
	Levels        int     // grey levels on the wire, 2..256
}

// The modules that the terminal knows; figures from the makers' manuals.
var (
	R503 = Sensor{Name: "R503", Width: 192, Height: 192, PPI: 508, Levels: 16}
	R307 = Sensor{Name: "R307", Width: 256, Height: 288, PPI: 500, Levels: 16}
	R558 = Sensor{Name: "R558", Width: 96, Height: 100, PPI: 508, Levels: 16}
)

// SensorByName finds a sensor by its name, in upper or lower case.
func SensorByName(name string) (Sensor, error) {
	for _, z := range []Sensor{R503, R307, R558} {
		if strings.EqualFold(z.Name, name) {
			return z, nil
		}
	}
	return Sensor{}, fmt.Errorf("no sensor is called %q; known are r503, r307 and r558", name)
}

// Press shows the print as the sensor would deliver it when that part of the
// finger lies on its glass: brought to the sensor's resolution, the core of the
// print (see Core) in the middle of the glass, white where the picture ends,
// and every pixel one of the sensor's grey levels (16 of them: steps of 17 over
// 0..255). A src that does not know its PPI is taken to be at 500. The same src gives the same
// result always; no name or other knowledge enters.
func (z Sensor) Press(src *Sample) *Sample {
	known := *src
	if !plausiblePPI(known.PPI) {
		known.PPI = 500
	}
	s := known.Resample(z.PPI)
	defer s.Clear()
	x, y := s.Core()
	out := s.crop(int(x)-z.Width/2, int(y)-z.Height/2, z.Width, z.Height)
	for i, v := range out.Pix {
		out.Pix[i] = uint8(int(v) * z.Levels / 256 * 255 / (z.Levels - 1))
	}
	return out
}

// crop cuts the rectangle whose top left corner is x, y; what lies outside s is
// white.
func (s *Sample) crop(x, y, width, height int) *Sample {
	out := New(width, height, s.PPI)
	from, to := max(0, -x), min(width, s.Width-x)
	for row := range height {
		if at := y + row; at >= 0 && at < s.Height && from < to {
			copy(out.Pix[row*width+from:row*width+to], s.Pix[at*s.Width+x+from:])
		}
	}
	return out
}
