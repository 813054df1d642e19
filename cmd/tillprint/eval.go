package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/matcher/eval"
	"github.com/tillprint/tillprint/matcher/eval/chart"
)

func evalCommand() *cobra.Command {
	var o eval.Options
	var asJSON bool
	var templates, scores, plots string
	var perFinger bool
	c := &cobra.Command{
		Use:   "eval DIR",
		Short: "Measure error rates on a folder of fingerprints",
		Long: `Measure verification error rates on a folder of images named FINGER_IMPRESSION.ext,
by the protocol of the Fingerprint Verification Competitions: all genuine pairs i<j, impostors
'all' (every pair of different fingers) or 'first' (first impressions only). An image that
cannot be enrolled counts as score 0 in its pairs. Rates are fractions.`,
		Example: "  tillprint eval fvc2002_db1_b --sensor r503 --json",
		Args:    cli.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) (err error) {
			o.Dir, o.Progress = args[0], progress(c.ErrOrStderr(), "comparing")
			if o.ISO, err = isISO(templates); err != nil {
				return err
			}
			if scores != "" {
				f, err := os.OpenFile(scores, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
				if err != nil {
					return fmt.Errorf("writing the list of scores: %w", err)
				}
				defer closing(f, &err)
				o.Scores = f
			}
			r, err := eval.Run(c.Context(), o)
			if err != nil {
				return mistaken(err)
			}
			if plots != "" {
				if err := chart.Verification(plots, r, o.Title(), eval.Peers(o.Dir)); err != nil {
					return err
				}
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), r)
			}
			printRates(c.OutOrStdout(), r)
			printQuality(c.OutOrStdout(), &r.Quality)
			printTail(c.OutOrStdout(), &r.Tail)
			if perFinger {
				printFingers(c.OutOrStdout(), r.Fingers)
			}
			return nil
		},
	}
	inputFlags(c, &o.Input, &templates)
	c.AddCommand(evalIdentifyCommand())
	c.Flags().StringVar(&o.Impostors, "impostors", "all", "which impostor pairs: first or all")
	c.Flags().BoolVar(&o.BothWays, "both-ways", false, "compare each pair with reference and probe exchanged too, which leaves less to chance")
	c.Flags().StringVar(&scores, "scores", "", "write every pair's score to this CSV file")
	c.Flags().StringVar(&plots, "plot", "", "draw the DET curve and the scores as PNG and SVG into this folder")
	c.Flags().BoolVar(&perFinger, "subjects", false, "list how each finger fares, those to enrol again first")
	c.Flags().IntVar(&o.Gallery, "gallery", 2400, "templates for which the threshold is judged")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// inputFlags are the flags by which every measurement chooses its fingers.
func inputFlags(c *cobra.Command, in *eval.Input, templates *string) {
	c.Flags().Float64Var(&in.PPI, "ppi", 0, "pixels per inch of the images (default: what the files state, else 500)")
	c.Flags().StringVar(&in.Sensor, "sensor", "full", "see the images as a sensor would: full, r503, r307 or r558")
	c.Flags().Float64Var(&in.Scale, "scale", 1, "enlarge each probe by this factor, as a growing finger")
	c.Flags().BoolVar(&in.Told, "told", false, "tell the matcher of --scale, as a terminal does that knows how long ago the enrolment was")
	c.Flags().BoolVar(&in.ThroughISO, "through-iso", false, "write each template as an ISO/IEC 19794-2 record and read it back first")
	c.Flags().StringVar(templates, "templates", "", "iso: read .iso templates instead of images")
}

func isISO(templates string) (bool, error) {
	switch templates {
	case "":
		return false, nil
	case "iso":
		return true, nil
	}
	return false, cli.Usage(fmt.Errorf("--templates %q is not known; leave it out for images, or say iso", templates))
}

// mistaken marks flags that a measurement cannot be made with as a usage error.
func mistaken(err error) error {
	if errors.Is(err, eval.ErrOptions) {
		return cli.Usage(err)
	}
	return err
}

// printJSON prints v as one object on one line.
func printJSON(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) }

// progress shows how far long work has come, on a terminal only: a log or a
// pipe gets nothing.
func progress(w io.Writer, what string) func(done, total int) {
	f, ok := w.(*os.File)
	if !ok {
		return nil
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	var bar *progressbar.ProgressBar
	return func(done, total int) {
		if bar == nil {
			bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
				progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100_000_000))
		}
		_ = bar.Set(done) // a terminal that cannot be written to shows no progress
	}
}

// closing closes f and keeps the error, unless there is an earlier one.
func closing(f io.Closer, err *error) {
	if cerr := f.Close(); *err == nil {
		*err = cerr
	}
}
