package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/matcher/eval"
)

func evalIdentifyCommand() *cobra.Command {
	var o eval.IdentifyOptions
	var asJSON bool
	var templates string
	c := &cobra.Command{
		Use:   "identify DIR --enrol K",
		Short: "Measure identification among a gallery",
		Long: `Measure identification: the first K impressions of every finger are enrolled among synthetic
distractors, the others searched, and each of these searched again while its own finger is
not enrolled. Rates are fractions.`,
		Example: "  tillprint eval identify fvc2002_db1_b --enrol 3 --distractors 2400",
		Args:    cli.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) (err error) {
			o.Dir, o.Progress = args[0], progress(c.ErrOrStderr(), "searching")
			if o.ISO, err = isISO(templates); err != nil {
				return err
			}
			r, err := eval.Identify(c.Context(), o)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), r)
			}
			printIdentification(c.OutOrStdout(), r)
			return nil
		},
	}
	inputFlags(c, &o.Input, &templates)
	c.Flags().IntVar(&o.Enrol, "enrol", 3, "how many impressions of each finger to enrol")
	c.Flags().IntVar(&o.Distractors, "distractors", 0, "synthetic templates to add to the gallery")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func printIdentification(w io.Writer, r *eval.IdentifyResult) {
	fmt.Fprintf(w, "gallery   %d templates; %d searches of enrolled fingers, %d of fingers not enrolled\n", r.Gallery, r.Mated, r.NonMated)
	fmt.Fprintf(w, "FNIR      %.2f %% at FPIR 10 %%, %.2f %% at 1 %%, %.2f %% at 0.1 %%\n", 100*r.FNIR01, 100*r.FNIR001, 100*r.FNIR0001)
	fmt.Fprintf(w, "          (%d searches cannot tell an FPIR below %.2f %% from none)\n", r.NonMated, 100*r.FPIRBound)
	fmt.Fprintf(w, "rank 1    %.2f %%\n", 100*r.Rank1)
	fmt.Fprintf(w, "policy    %.2f %% found theirs, %d searches found somebody else\n", 100*r.Found, r.Wrong)
	fmt.Fprintf(w, "search    %.1f ms median, %.1f ms p99\n", r.SearchMSP50, r.SearchMSP99)
}
