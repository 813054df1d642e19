package chart

import (
	"errors"
	"fmt"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/tillprint/tillprint/matcher/eval"
)

var errScores = errors.New("drawing charts: the result has no scores")

// Verification writes det.png, det.svg, scores.png and scores.svg into dir: the
// DET curve (Martin and others, "The DET curve in assessment of detection task
// performance", Eurospeech 1997; here on logarithmic axes, as ISO/IEC 19795-1
// allows) beside the peers' points, of which each has two, at FMR 0.1 % and
// where both rates are equal; and how the scores of both sorts of pairs are
// spread. title names what was measured.
func Verification(dir string, r *eval.Result, title string, peers []eval.Peer) error {
	if len(r.GenuineScores) == 0 || len(r.ImpostorScores) == 0 {
		return errScores
	}
	if err := det(dir, r, title, peers); err != nil {
		return err
	}
	h := newHistogram("Scores: " + title)
	h.add("different fingers", r.ImpostorScores, alarm)
	h.add("same finger", r.GenuineScores, ink)
	h.mark(fmt.Sprintf("FMR 0.1 %% at %.1f", r.Threshold1000), r.Threshold1000, pale)
	h.mark(fmt.Sprintf("asked for by %d\ntemplates: %.1f", r.Tail.Gallery, r.Tail.Threshold), r.Tail.Threshold, alarm)
	return h.save(dir, "scores")
}

func det(dir string, r *eval.Result, title string, peers []eval.Peer) error {
	curve := tradeoff(r.GenuineScores, r.ImpostorScores)
	p := newTradeoff("DET: "+title, "false match rate", "false non-match rate",
		plotter.XY{X: rate(0, len(r.ImpostorScores)), Y: rate(0, len(r.GenuineScores))})
	l := newLegend()
	if err := line(p, l, fmt.Sprintf("Tillprint, EER %.2f %%", 100*r.EER), curve, ink, false); err != nil {
		return err
	}
	bound := fmt.Sprintf("rule of three:\n%d impostor pairs", r.Tail.Pairs)
	if err := line(p, l, bound, upright(p, r.Tail.Bound), pale, true); err != nil {
		return err
	}
	if err := line(p, l, "equal rates", plotter.XYs{{X: max(p.X.Min, p.Y.Min), Y: max(p.X.Min, p.Y.Min)}, {X: 1, Y: 1}}, pale, false); err != nil {
		return err
	}
	for i, peer := range peers {
		points := plotter.XYs{{X: 0.001, Y: peer.FMR1000}, {X: peer.EER, Y: peer.EER}}
		style := draw.GlyphStyle{Color: others[i%len(others)], Radius: 3.5, Shape: shapes[i%len(shapes)]}
		if err := dots(p, l, peer.Name, points, style); err != nil {
			return err
		}
	}
	return save(dir, "det", p, l)
}
