package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/matcher/eval"
)

func benchCommand() *cobra.Command {
	c := &cobra.Command{Use: "bench", Short: "Measure speed and memory", Args: cli.Args(cobra.NoArgs)}
	c.AddCommand(benchIdentifyCommand())
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
				return err
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
