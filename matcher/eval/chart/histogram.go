package chart

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// A histogram shows shares of scores on a logarithmic axis, since what matters
// is how the few highest of strangers meet the few lowest of mates.
type histogram struct {
	plot   *plot.Plot
	legend *plot.Legend
	series []series
	marks  []series
}

type series struct {
	name   string
	scores []float64 // ascending
	ink    color.NRGBA
}

const bins = 60

func newHistogram(title string) *histogram {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, "score", "share of scores"
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.TickerFunc(percents)
	return &histogram{plot: p, legend: newLegend()}
}

func (h *histogram) add(name string, scores []float64, ink color.NRGBA) {
	h.series = append(h.series, series{name, scores, ink})
}

// mark draws an upright line at a score.
func (h *histogram) mark(name string, at float64, ink color.NRGBA) {
	h.marks = append(h.marks, series{name, []float64{at}, ink})
}

func (h *histogram) save(dir, name string) error {
	p, most, floor := h.plot, 0.0, 1.0
	for _, s := range append(h.series, h.marks...) {
		most = max(most, s.scores[len(s.scores)-1])
	}
	for _, s := range h.series {
		floor = min(floor, rate(0, len(s.scores)))
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, max(most, 1)*1.02, decade(floor), 1
	for _, s := range h.series {
		drawn, err := plotter.NewLine(outline(s.scores, p.X.Max/bins, p.Y.Min))
		if err != nil {
			return err
		}
		soft := s.ink
		soft.A = 70
		drawn.StepStyle, drawn.FillColor, drawn.Color, drawn.Width = plotter.PreStep, soft, s.ink, vg.Points(1)
		p.Add(drawn)
		h.legend.Add(s.name, drawn)
	}
	for _, m := range h.marks {
		if err := line(p, h.legend, m.name, upright(p, m.scores[0]), m.ink, true); err != nil {
			return err
		}
	}
	return save(dir, name, p, h.legend)
}

// outline is the share of scores in each bin of the given width, at the bin's
// right edge, as steps want it. What lies below 0, searches that found another
// first, counts as 0; an empty bin is drawn at floor.
func outline(scores []float64, width, floor float64) plotter.XYs {
	var counts [bins]int
	for _, s := range scores {
		counts[min(int(max(s, 0)/width), bins-1)]++
	}
	points := plotter.XYs{{X: 0, Y: floor}}
	for i, n := range counts {
		share := float64(n) / float64(len(scores))
		points = append(points, plotter.XY{X: float64(i+1) * width, Y: math.Max(share, floor)})
	}
	return points
}
