package chart

import (
	"fmt"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/tillprint/tillprint/matcher/eval"
)

// Identification writes fnir-fpir.png and .svg, and searches.png and .svg, into
// dir: FNIR against FPIR as far as the searches of strangers can tell, with the
// policy's own operating point, whose FPIR is the budget that it was given; and
// how the scores of the best candidates are spread. title names what was
// measured.
func Identification(dir string, r *eval.IdentifyResult, budget float64, title string) error {
	if len(r.Own) == 0 || len(r.Others) == 0 {
		return errScores
	}
	p := newTradeoff(fmt.Sprintf("Identification: %s, %d templates", title, r.Gallery), "FPIR", "FNIR",
		plotter.XY{X: min(budget, rate(0, r.NonMated)), Y: rate(0, r.Mated)})
	l := newLegend()
	if err := line(p, l, fmt.Sprintf("Tillprint, rank 1 %.1f %%", 100*r.Rank1), tradeoff(r.Own, r.Others), ink, false); err != nil {
		return err
	}
	point := plotter.XYs{{X: budget, Y: max(1-r.Found, rate(0, r.Mated))}}
	style := draw.GlyphStyle{Color: alarm, Radius: 4, Shape: draw.CircleGlyph{}}
	if err := dots(p, l, fmt.Sprintf("the policy: FNIR %.1f %%\n(FPIR by its model)", 100*(1-r.Found)), point, style); err != nil {
		return err
	}
	interval := plotter.XYs{{X: budget, Y: max(r.MissedCI95[0], p.Y.Min)}, {X: budget, Y: max(r.MissedCI95[1], p.Y.Min)}}
	if err := line(p, l, "its 95 % interval", interval, alarm, false); err != nil {
		return err
	}
	bound := fmt.Sprintf("rule of three:\n%d searches of strangers", r.NonMated)
	if err := line(p, l, bound, upright(p, r.FPIRBound), pale, true); err != nil {
		return err
	}
	if err := save(dir, "fnir-fpir", p, l); err != nil {
		return err
	}
	h := newHistogram("Best scores of searches: " + title)
	h.add("not enrolled", r.Others, alarm)
	h.add("enrolled", r.Own, ink)
	return h.save(dir, "searches")
}
