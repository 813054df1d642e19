package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/tillprint/tillprint/matcher/eval"
)

func printRates(w io.Writer, r *eval.Result) {
	fmt.Fprintf(w, "pairs       %d genuine, %d impostor\n", r.Genuine, r.Impostor)
	fmt.Fprintf(w, "FTE         %.2f %%\n", 100*r.FTE)
	fmt.Fprintf(w, "EER         %.2f %%  (95 %% interval over fingers: %.2f to %.2f %%)\n", 100*r.EER, 100*r.EERCI95[0], 100*r.EERCI95[1])
	fmt.Fprintf(w, "FMR100      %.2f %%\nFMR1000     %.2f %%\nZeroFMR     %.2f %%\n", 100*r.FMR100, 100*r.FMR1000, 100*r.ZeroFMR)
	fmt.Fprintf(w, "extraction  %.1f ms median\nmatch       %.1f µs median\n", r.ExtractMSMedian, r.MatchUSMedian)
}

// printQuality says what sending the worst samples back is worth.
func printQuality(w io.Writer, q *eval.Quality) {
	fmt.Fprintf(w, "quality     FNMR at FMR 0.1 %% by the worse image: %.2f %% in the worst third (quality up to %d), %.2f %% in the middle,\n",
		100*q.WorstThird, q.Limits[0], 100*q.MiddleThird)
	fmt.Fprintf(w, "            %.2f %% in the best; with the worst third sent back %.2f %% instead of %.2f %%\n", 100*q.BestThird, 100*q.ThirdFewer, 100*q.All)
}

// printTail says how far the impostor pairs carry the threshold.
func printTail(w io.Writer, t *eval.Tail) {
	fmt.Fprintf(w, "threshold   %.1f for a gallery of %d templates: modelled FMR %.1g a comparison\n", t.Threshold, t.Gallery, t.Model)
	fmt.Fprintf(w, "supported   %d of %d impostor pairs reached it; such a count cannot show an FMR below %.1g (rule of three),\n", t.Counted, t.Pairs, t.Bound)
	fmt.Fprintf(w, "            nor below %.1g if each of the %d pairs of fingers counts once. What is lower is extrapolated.\n", t.FingerBound, t.FingerPairs)
	if t.Scale == 0 {
		return
	}
	fmt.Fprintf(w, "tail        mean excess over the 99th percentile %.2f, shape %+.2f (0 is exponential); by this set's own tail\n", t.Scale, t.Shape)
	fmt.Fprintf(w, "            the FMR at the threshold is %.1g (95 %% interval over fingers: %.1g to %.1g)\n", t.Fitted, t.FittedCI95[0], t.FittedCI95[1])
}

func printFingers(w io.Writer, fingers []eval.Finger) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "\nfinger\tmissed\tof\tlowest\tmean\tworst press\tmost alike\tits score\t\n")
	for _, f := range fingers {
		fmt.Fprintf(t, "%s\t%d\t%d\t%.1f\t%.1f\t%d\t%s\t%.1f\t\n", f.Finger, f.Missed, f.Genuine, f.Lowest, f.Mean, f.Worst, f.Alike, f.Highest)
	}
	t.Flush()
	fmt.Fprintln(w, "missed: pairs of its own presses below the threshold of FMR1000")
}

func printIdentification(w io.Writer, r *eval.IdentifyResult) {
	fmt.Fprintf(w, "gallery   %d templates; %d searches of enrolled fingers, %d of fingers not enrolled\n", r.Gallery, r.Mated, r.NonMated)
	fmt.Fprintf(w, "FNIR      %.2f %% at FPIR 10 %%, %.2f %% at 1 %%, %.2f %% at 0.1 %% (95 %% interval by Clopper and Pearson: %.2f to %.2f %%)\n",
		100*r.FNIR01, 100*r.FNIR001, 100*r.FNIR0001, 100*r.FNIR0001CI95[0], 100*r.FNIR0001CI95[1])
	fmt.Fprintf(w, "          (%d searches cannot tell an FPIR below %.2f %% from none)\n", r.NonMated, 100*r.FPIRBound)
	fmt.Fprintf(w, "rank 1    %.2f %%\n", 100*r.Rank1)
	fmt.Fprintf(w, "policy    %.2f %% found theirs (FNIR %.2f %%, 95 %% interval %.2f to %.2f %%), %.2f %% with the next finger tried too;\n",
		100*r.Found, 100*(1-r.Found), 100*r.MissedCI95[0], 100*r.MissedCI95[1], 100*r.FoundEither)
	fmt.Fprintf(w, "          %d searches found somebody else\n", r.Wrong)
	fmt.Fprintf(w, "search    %.1f ms median, %.1f ms p99\n", r.SearchMSP50, r.SearchMSP99)
	printLost(w, r.Lost)
	printSpreads(w, r)
}

// printLost says what the first stage of a search costs, if it was counted.
func printLost(w io.Writer, l *eval.Lost) {
	if l == nil {
		return
	}
	fmt.Fprintf(w, "lost      %d of %d searches that full matching finds (95 %% interval %.2f to %.2f %%); %d found only as it is\n",
		l.Lost, l.FoundFully, 100*l.CI95[0], 100*l.CI95[1], l.Gained)
}

// printSpreads sets real impostors beside distractors.
func printSpreads(w io.Writer, r *eval.IdentifyResult) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "\nscores of single comparisons\tpairs\tmean\tmedian\tp99\tp99.9\tmost\t\n")
	for _, row := range []struct {
		name string
		eval.Spread
	}{{"real impostors", r.Real}, {"synthetic distractors", r.Synthetic}} {
		if row.Pairs > 0 {
			fmt.Fprintf(t, "%s\t%d\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t\n", row.name, row.Pairs, row.Mean, row.P50, row.P99, row.P999, row.Most)
		}
	}
	t.Flush()
}

func printSubjects(w io.Writer, subjects []eval.Subject) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "\nsubject\tsearches\tfirst\tfound\tlowest\tmean\tmost alike\tits score\t\n")
	for _, s := range subjects {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%.1f\t%.1f\t%s\t%.1f\t\n", s.Subject, s.Searches, s.First, s.Found, s.Lowest, s.Mean, s.Alike, s.Highest)
	}
	t.Flush()
	fmt.Fprintln(w, "most alike: the best other subject while this one was not enrolled")
}
