package chart

import (
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/sample"
)

// Print is one side of a match: its image and what was read from it.
type Print struct {
	Image    *sample.Sample
	Template *matcher.Template
}

// Match draws, as a PNG, why two prints scored as they did: the probe and the
// reference side by side, every minutia as a ring with its direction, paired
// ones in a colour of their own and joined; and beneath, the probe's ridges in
// orange laid over the reference's in blue by the movement that was found:
// where both are of one finger they run together and turn black.
func Match(w io.Writer, probe, reference Print, e *matcher.Explanation) error {
	left, right := newPanel(probe.Image), newPanel(reference.Image)
	together := laidOver(probe.Image, reference.Image, e)
	wide := max(left.width+right.width+panelGap, vg.Length(together.Rect.Dx()))
	tall := max(left.height, right.height) + vg.Length(together.Rect.Dy()) + 2*panelGap + caption
	canvas := vgimg.NewWith(vgimg.UseWH(wide, tall), vgimg.UseDPI(144))
	c := draw.New(canvas)
	top := tall - caption
	left.x, left.top, right.x, right.top = 0, top, left.width+panelGap, top
	left.draw(&c, probe.Template)
	right.draw(&c, reference.Template)
	for i := range e.Mates {
		m := &e.Mates[i]
		joined := draw.LineStyle{Color: hue(i, 190), Width: 0.9}
		a, b := left.at(m.Probe.X, m.Probe.Y), right.at(m.Reference.X, m.Reference.Y)
		c.StrokeLine2(joined, a.X, a.Y, b.X, b.Y)
		left.ring(&c, m.Probe, hue(i, 255), 1.4)
		right.ring(&c, m.Reference, hue(i, 255), 1.4)
	}
	below := top - max(left.height, right.height) - panelGap
	x := (wide - vg.Length(together.Rect.Dx())) / 2
	c.DrawImage(vg.Rectangle{Min: vg.Point{X: x, Y: below - vg.Length(together.Rect.Dy())}, Max: vg.Point{X: x + vg.Length(together.Rect.Dx()), Y: below}}, together)
	write(&c, vg.Point{X: 4, Y: tall - caption + 5}, fmt.Sprintf("score %.1f, modelled FMR %.2g: %d minutiae paired, turned by %.0f°, scale %.2f",
		e.Score, matcher.FalseMatchRate(e.Score), len(e.Mates), e.Turned*180/math.Pi, e.Scale))
	_, err := vgimg.PngCanvas{Canvas: canvas}.WriteTo(w)
	return err
}

const (
	panelGap = 12 // points between pictures; a point is a pixel at 500 ppi
	caption  = 18
)

func write(c *draw.Canvas, at vg.Point, words string) {
	style := text.Style{Color: color.Black, Font: font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, 9), Handler: text.Plain{Fonts: font.DefaultCache}}
	c.FillText(style, at, words)
}
