package chart

import (
	"fmt"
	"image/color"
	"math"
	"sort"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

var (
	ink    = color.NRGBA{20, 70, 160, 255} // what was measured
	alarm  = color.NRGBA{200, 30, 30, 255} // impostors, and what goes wrong
	pale   = color.NRGBA{130, 130, 130, 255}
	others = []color.Color{
		color.NRGBA{214, 95, 0, 255}, color.NRGBA{0, 130, 90, 255}, color.NRGBA{150, 50, 150, 255}, color.NRGBA{120, 90, 20, 255},
		color.NRGBA{0, 140, 180, 255}, color.NRGBA{200, 60, 110, 255}, color.NRGBA{90, 90, 90, 255},
	}
	shapes = []draw.GlyphDrawer{draw.SquareGlyph{}, draw.PyramidGlyph{}, draw.CrossGlyph{}, draw.PlusGlyph{}, draw.BoxGlyph{}, draw.TriangleGlyph{}, draw.RingGlyph{}}
)

// tradeoff is the curve of missed against false over all thresholds, as a DET
// curve has it. Both lists of scores are ascending. A logarithmic axis has no
// zero: rates of none are drawn at half of one count.
func tradeoff(own, strangers []float64) plotter.XYs {
	at := func(threshold float64) plotter.XY {
		wrong := len(strangers) - sort.SearchFloat64s(strangers, threshold)
		missed := sort.SearchFloat64s(own, threshold)
		return plotter.XY{X: rate(wrong, len(strangers)), Y: rate(missed, len(own))}
	}
	var points plotter.XYs
	for i, s := range strangers {
		if i == 0 || s != strangers[i-1] {
			points = append(points, at(s))
		}
	}
	return append(points, at(math.Nextafter(strangers[len(strangers)-1], math.Inf(1))))
}

func rate(count, of int) float64 { return max(float64(count), 0.5) / float64(of) }

// newTradeoff is an empty log-log chart of rates down to the given ones.
func newTradeoff(title, x, y string, least plotter.XY) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Scale, axis.Tick.Marker, axis.Max = plot.LogScale{}, plot.TickerFunc(percents), 1
	}
	p.X.Min, p.Y.Min = decade(least.X), decade(least.Y)
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{225}, color.Gray{225}
	p.Add(grid)
	return p
}

// decade is the power of ten at or below v, above 1e-7.
func decade(v float64) float64 { return math.Pow(10, math.Floor(math.Log10(max(v, 1e-7))+1e-9)) }

// percents marks the decades as percentages, with unmarked ticks between.
func percents(lo, hi float64) (ticks []plot.Tick) {
	for d := decade(lo); d <= hi*1.001; d *= 10 {
		ticks = append(ticks, plot.Tick{Value: d, Label: strconv.FormatFloat(100*d, 'g', 3, 64) + " %"})
		for k := 2.0; k < 10 && k*d <= hi; k++ {
			ticks = append(ticks, plot.Tick{Value: k * d})
		}
	}
	return ticks
}

// line draws a curve into p and names it in the legend.
func line(p *plot.Plot, l *plot.Legend, name string, points plotter.XYs, ink color.Color, dashed bool) error {
	drawn, err := plotter.NewLine(points)
	if err != nil {
		return fmt.Errorf("drawing %s: %w", name, err)
	}
	drawn.Color, drawn.Width = ink, 1.5
	if dashed {
		drawn.Width, drawn.Dashes = 0.8, []vg.Length{3, 3}
	}
	p.Add(drawn)
	l.Add(name, drawn)
	return nil
}

// dots draws single points likewise.
func dots(p *plot.Plot, l *plot.Legend, name string, points plotter.XYs, style draw.GlyphStyle) error {
	drawn, err := plotter.NewScatter(points)
	if err != nil {
		return fmt.Errorf("drawing %s: %w", name, err)
	}
	drawn.GlyphStyle = style
	p.Add(drawn)
	l.Add(name, drawn)
	return nil
}

// upright is a vertical line from the lowest to the highest y of p.
func upright(p *plot.Plot, x float64) plotter.XYs {
	return plotter.XYs{{X: x, Y: p.Y.Min}, {X: x, Y: p.Y.Max}}
}
