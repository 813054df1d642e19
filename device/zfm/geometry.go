package zfm

// Geometry is the size of a sensor's image.
type Geometry struct {
	Width, Height int     // pixels
	PPI           float64 // pixels per inch
}

// geometries are the sensors known, to be told by the number of bytes of an image.
var geometries = []Geometry{
	{256, 288, 500}, // ZFM-20, R305, R307, FPM10A, AS608
	{192, 192, 508}, // R503
	{96, 100, 508},  // R558
	{80, 80, 508},   // small ZW sensors
}

const (
	sideMin, sideMax = 32, 640
	// imageMax bounds what one upload may bring, in bytes.
	imageMax = 1 << 16
)

func (g Geometry) bytes() int { return g.Width * g.Height / 2 }

func (g Geometry) valid() bool {
	fits := func(n int) bool { return n >= sideMin && n <= sideMax }
	return fits(g.Width) && fits(g.Height) && g.Width%2 == 0 && g.bytes() <= imageMax
}

// geometryOf finds the sensor whose image has that many bytes, two pixels each.
func geometryOf(bytes int) (Geometry, bool) {
	for _, g := range geometries {
		if g.bytes() == bytes {
			return g, true
		}
	}
	return Geometry{}, false
}

// geometryFor completes a declared size with the resolution of the sensor that has it, or the usual 500 ppi.
func geometryFor(width, height int) Geometry {
	for _, g := range geometries {
		if g.Width == width && g.Height == height {
			return g
		}
	}
	return Geometry{Width: width, Height: height, PPI: 500}
}
