package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/matcher/eval"
)

func benchCommand() *cobra.Command {
	c := &cobra.Command{Use: "bench", Short: "Measure speed and memory", Args: cli.Args(cobra.NoArgs)}
	c.AddCommand(benchIdentifyCommand(), benchScanCommand())
	return c
}

func benchIdentifyCommand() *cobra.Command {
	var o eval.BenchOptions
	var asJSON bool
	c := &cobra.Command{
		Use:   "identify --gallery N",
		Short: "Measure how fast a finger is searched in a gallery of synthetic templates",
		Long: `Measure how fast a finger is searched in a gallery of synthetic templates, two fingers a
subject, on one core. Machines are noisy: compare figures of one run only.`,
		Example: "  tillprint bench identify --gallery 10000 --json",
		Args:    cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			o.Progress = progress(c.ErrOrStderr(), "searching")
			r, err := eval.Bench(c.Context(), o)
			if err != nil {
				return mistaken(err)
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), r)
			}
			w := c.OutOrStdout()
			fmt.Fprintf(w, "gallery   %d templates of %.1f minutiae in the mean, %.0f bytes each\n", r.Templates, r.MeanMinutiae, r.BytesPerTemplate)
			fmt.Fprintf(w, "search    %.2f ms median, %.2f ms p99, %.0f ns a template, on %d core\n", r.SearchMSP50, r.SearchMSP99, r.NSPerTemplate, r.Cores)
			fmt.Fprintf(w, "found     %.1f %% came first\nmemory    %.0f MiB resident\n", 100*r.Found, r.RSSMiB)
			return nil
		},
	}
	c.Flags().IntVar(&o.Gallery, "gallery", 10_000, "templates in the gallery")
	c.Flags().IntVar(&o.Searches, "searches", 0, "searches to measure (default 50)")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func benchScanCommand() *cobra.Command {
	var o eval.ScanOptions
	var asJSON bool
	c := &cobra.Command{
		Use:   "scan --sensor r503 --baud 115200 DIR",
		Short: "Measure after how many rows a finger is decided",
		Long: `Measure after how many rows of its image a finger is decided: the first presses of every
finger are enrolled among synthetic distractors, the others sent row by row in the pace of
the wire, which is computed, not waited for. Rows are shares of the image. What is computed
counts in processor time, as if the process had one core to itself.`,
		Example: "  tillprint bench scan --sensor r503 --baud 115200 fvc2002_db1_b --json",
		Args:    cli.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			o.Dir, o.Progress = args[0], progress(c.ErrOrStderr(), "scanning")
			r, err := eval.Scan(c.Context(), o)
			if err != nil {
				return mistaken(err)
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), r)
			}
			printScans(c.OutOrStdout(), r)
			return nil
		},
	}
	c.Flags().StringVar(&o.Sensor, "sensor", "r503", "the module: r503, r307 or r558")
	c.Flags().IntVar(&o.Baud, "baud", 115_200, "bits a second on its wire")
	c.Flags().IntVar(&o.Enrol, "enrol", 3, "presses of each finger that are enrolled")
	c.Flags().IntVar(&o.Distractors, "distractors", 2400, "synthetic templates to add to the gallery")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func printScans(w io.Writer, r *eval.ScanResult) {
	fmt.Fprintf(w, "gallery   %d templates; %d scans of enrolled fingers, %d of strangers\n", r.Gallery, r.Scans, r.Strangers)
	fmt.Fprintf(w, "rows      %.0f %% at the decision in the median, %.0f %% p95 (made of %.0f %%); %d scans decided before the last row\n",
		100*r.RowsP50, 100*r.RowsP95, 100*r.RowsUsedP50, r.Early)
	fmt.Fprintf(w, "wrong     %d (%d when only whole images are looked at)\n", r.Wrong, r.WrongWhole)
	fmt.Fprintf(w, "undecided %d (%d)\n", r.Undecided, r.UndecidedWhole)
	fmt.Fprintf(w, "decision  %.0f ms after the first byte in the median (%.0f)\n", r.DecisionMS, r.DecisionMSWhole)
	fmt.Fprintf(w, "compute   %.1f ms of processor time from the rows that decided to the decision in the median (%.1f)\n", r.ComputeMS, r.ComputeMSWhole)
	fmt.Fprintf(w, "looks     %.1f ms of processor time for all looks at a scan in the median, %.1f of them\n", r.LooksMS, r.Looks)
}
