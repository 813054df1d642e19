package chart

import (
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/sample"
)

// A panel is a picture on the canvas, where one point is one pixel at 500 ppi.
type panel struct {
	image         image.Image
	width, height vg.Length
	x, top        vg.Length
}

func newPanel(s *sample.Sample) *panel {
	scale := matcher.PPI / s.PPI
	return &panel{image: faint(s), width: vg.Length(float64(s.Width) * scale), height: vg.Length(float64(s.Height) * scale)}
}

// faint pales a picture so that what is drawn over it stands out.
func faint(s *sample.Sample) image.Image {
	out := image.NewGray(image.Rect(0, 0, s.Width, s.Height))
	for i, v := range s.Pix {
		out.Pix[i] = 90 + uint8(int(v)*165/255)
	}
	return out
}

// at is where a place of the template lies on the canvas.
func (p *panel) at(x, y float32) vg.Point {
	return vg.Point{X: p.x + vg.Length(x), Y: p.top - vg.Length(y)}
}

func (p *panel) draw(c *draw.Canvas, t *matcher.Template) {
	c.DrawImage(vg.Rectangle{Min: vg.Point{X: p.x, Y: p.top - p.height}, Max: vg.Point{X: p.x + p.width, Y: p.top}}, p.image)
	for _, m := range t.Minutiae {
		p.ring(c, m, color.NRGBA{60, 60, 60, 255}, 0.6)
	}
}

// ring draws a minutia: a ring, square for bifurcations, with its direction.
func (p *panel) ring(c *draw.Canvas, m matcher.Minutia, ink color.Color, width vg.Length) {
	const radius, tail = 3.5, 9
	at := p.at(m.X, m.Y)
	sin, cos := math.Sincos(float64(m.Angle))
	style := draw.LineStyle{Color: ink, Width: width}
	c.StrokeLine2(style, at.X+vg.Length(radius*cos), at.Y+vg.Length(radius*sin), at.X+vg.Length(tail*cos), at.Y+vg.Length(tail*sin))
	var path vg.Path
	if m.Kind == matcher.Bifurcation {
		path.Move(vg.Point{X: at.X - radius, Y: at.Y - radius})
		for _, d := range [][2]vg.Length{{radius, -radius}, {radius, radius}, {-radius, radius}} {
			path.Line(vg.Point{X: at.X + d[0], Y: at.Y + d[1]})
		}
	} else {
		path.Move(vg.Point{X: at.X + radius, Y: at.Y})
		path.Arc(at, radius, 0, 2*math.Pi)
	}
	path.Close()
	c.SetLineStyle(style)
	c.Stroke(path)
}

// hue is one of many colours that neighbours in a list do not share.
func hue(i int, alpha uint8) color.NRGBA {
	h := 6 * math.Mod(float64(i)*0.618034, 1) // the golden ratio spreads them
	channel := func(shift float64) uint8 {
		v := math.Abs(math.Mod(h+shift, 6) - 3)
		return uint8(220 * min(max(v-1, 0), 1))
	}
	return color.NRGBA{channel(0), channel(4), channel(2), alpha}
}
