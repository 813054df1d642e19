package main

import (
	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/eval"
	"github.com/tillprint/tillprint/matcher/eval/chart"
)

func evalIdentifyCommand() *cobra.Command {
	var o eval.IdentifyOptions
	var asJSON, perSubject bool
	var templates, plots string
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
				return mistaken(err)
			}
			if plots != "" {
				if err := chart.Identification(plots, r, matcher.DefaultPolicy.FalseMatchBudget, o.Title()); err != nil {
					return err
				}
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), r)
			}
			printIdentification(c.OutOrStdout(), r)
			if perSubject {
				printSubjects(c.OutOrStdout(), r.Subjects)
			}
			return nil
		},
	}
	inputFlags(c, &o.Input, &templates)
	c.Flags().IntVar(&o.Enrol, "enrol", 3, "how many impressions of each finger to enrol")
	c.Flags().IntVar(&o.Distractors, "distractors", 0, "synthetic templates to add to the gallery")
	c.Flags().IntVar(&o.FingersPerSubject, "fingers-per-subject", 1, "join so many of the folder's fingers, in their order, into one subject")
	c.Flags().StringVar(&plots, "plot", "", "draw FNIR against FPIR and the scores as PNG and SVG into this folder")
	c.Flags().BoolVar(&o.CountLost, "lost", false, "count what the first stage loses: compare everything fully besides (slow)")
	c.Flags().BoolVar(&perSubject, "subjects", false, "list how each subject fares, those to enrol again first")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}
