package extract

import (
	"math"
	"testing"

	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/sample"
)

// Stripes at an angle have that direction in every cell that they fill, at
// either resolution; the white half has none.
func TestFlowOfStripes(t *testing.T) {
	for _, ppi := range []float64{500, 508, 1000} {
		for degrees := 0.0; degrees < 180; degrees += 24 {
			sin, cos := math.Sincos(degrees * math.Pi / 180)
			period := 9 * ppi / 500
			side := int(240 * ppi / 500)
			s := sample.New(side, side, ppi)
			for y := range side {
				for x := range side / 2 {
					across := float64(x)*sin + float64(y)*cos // counter-clockwise as seen
					s.Pix[y*side+x] = uint8(128 + 100*math.Cos(2*math.Pi*across/period))
				}
				for x := side / 2; x < side; x++ {
					s.Pix[y*side+x] = 255
				}
			}
			got, err := New().Extract(s)
			if err != nil {
				t.Fatal(err)
			}
			columns, rows := matcher.FlowSize(got.Width, got.Height)
			if len(got.Flow) != columns*rows {
				t.Fatalf("%d cells for %d×%d", len(got.Flow), got.Width, got.Height)
			}
			for row := 1; row < rows-1; row++ {
				for column := 1; column < columns; column++ {
					v := got.Flow[row*columns+column]
					switch {
					case column < 4 && v != matcher.FlowValue(degrees*math.Pi/180):
						t.Errorf("%.0f ppi, %.0f°: cell %d, %d is %d", ppi, degrees, column, row, v)
					case column > 5 && v != 0:
						t.Errorf("%.0f ppi, %.0f°: ridges %d in the white cell %d, %d", ppi, degrees, v, column, row)
					}
				}
			}
		}
	}
}
