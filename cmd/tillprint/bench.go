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
	var asJSON, growth bool
	c := &cobra.Command{
		Use:   "identify --gallery N",
		Short: "Measure how fast a finger is searched in a gallery of synthetic templates",
		Long: `Measure how fast a finger is searched in a gallery of synthetic templates, two fingers a
subject, on one core, and how long it takes to add and remove a subject while another core
searches. Beyond 10,000 templates each is put together from two of these, none of them a
finger that is searched for. Machines are noisy: compare figures of one run only.

With --growth galleries of 1,000 to 1,000,000 templates are measured in turn, which takes
some minutes and a gigabyte of memory.`,
		Example: "  tillprint bench identify --gallery 10000 --json",
		Args:    cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			o.Progress = progress(c.ErrOrStderr(), "searching")
			sizes := []int{o.Gallery}
			if growth {
				sizes = []int{1_000, 10_000, 100_000, 1_000_000}
			}
			for i, size := range sizes {
				o.Gallery = size
				r, err := eval.Bench(c.Context(), o)
				if err != nil {
					return mistaken(err)
				}
				if err := printBench(c.OutOrStdout(), r, growth, i == 0, asJSON); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().IntVar(&o.Gallery, "gallery", 10_000, "templates in the gallery")
	c.Flags().IntVar(&o.Searches, "searches", 50, "searches of enrolled fingers in a run, and as many of strangers")
	c.Flags().IntVar(&o.Runs, "runs", 3, "how often to repeat all searches")
	c.Flags().BoolVar(&o.CountLost, "lost", false, "count what the first stage loses: compare everything fully besides (slow)")
	c.Flags().BoolVar(&growth, "growth", false, "measure galleries of 1,000 to 1,000,000 templates")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object, with --growth one a size")
	c.MarkFlagsMutuallyExclusive("gallery", "growth")
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

// printBench prints what was measured of one gallery, with growth as one row of
// a table.
func printBench(w io.Writer, r *eval.BenchResult, growth, first, asJSON bool) error {
	switch {
	case asJSON:
		return printJSON(w, r)
	case growth:
		printGrowth(w, r, first)
	default:
		printSpeed(w, r)
	}
	return nil
}

func printSpeed(w io.Writer, r *eval.BenchResult) {
	fmt.Fprintf(w, "gallery   %d templates of %.1f minutiae in the mean, %.0f bytes each\n", r.Templates, r.MeanMinutiae, r.BytesPerTemplate)
	fmt.Fprintf(w, "search    %.2f ms median (of runs from %.2f to %.2f), %.2f ms p99, %.0f ns a template, on %d core\n",
		r.SearchMSP50, r.SearchMSP50Range[0], r.SearchMSP50Range[1], r.SearchMSP99, r.NSPerTemplate, r.Cores)
	fmt.Fprintf(w, "stranger  %.2f ms median, %.2f ms p99\n", r.StrangerMSP50, r.StrangerMSP99)
	fmt.Fprintf(w, "processor %.2f ms a search of either sort in the mean\n", r.CPUMS)
	fmt.Fprintf(w, "found     %.1f %% came first\n", 100*r.Found)
	printLost(w, r.Lost)
	fmt.Fprintf(w, "writes    %d subjects of two fingers added in %.2f ms median, %.2f ms p99, removed in %.2f and %.2f, beside searches\n",
		r.Writes.Count, r.Writes.AddMSP50, r.Writes.AddMSP99, r.Writes.RemoveMSP50, r.Writes.RemoveMSP99)
	fmt.Fprintf(w, "memory    %.0f MiB resident\n", r.RSSMiB)
}

func printGrowth(w io.Writer, r *eval.BenchResult, first bool) {
	if first {
		fmt.Fprintln(w, "            search ms         stranger ms     processor    ns a     add ms  remove ms   bytes")
		fmt.Fprintln(w, "templates   p50      p99      p50      p99       ms    template   p99      p99      each    MiB")
	}
	fmt.Fprintf(w, "%9d %7.2f %8.2f %8.2f %8.2f %9.2f %8.0f %8.2f %8.2f %8.0f %7.0f\n", r.Templates, r.SearchMSP50, r.SearchMSP99, r.StrangerMSP50, r.StrangerMSP99,
		r.CPUMS, r.NSPerTemplate, r.Writes.AddMSP99, r.Writes.RemoveMSP99, r.BytesPerTemplate, r.BytesPerTemplate*float64(r.Templates)/(1<<20))
}
