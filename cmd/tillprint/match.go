package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/extract"
)

func matchCommand() *cobra.Command {
	var ppi float64
	c := &cobra.Command{
		Use:   "match IMAGE IMAGE",
		Short: "Compare two images of fingers",
		Long: `Compare two images of fingers and print how alike they are: the score, and the
modelled rate at which two different fingers would score as high (FMR).`,
		Args: cli.Args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			e := extract.New()
			defer e.Clear()
			var prepared [2]*matcher.Prepared
			for i, path := range args {
				t, err := extractFile(e, path, ppi)
				if err != nil {
					return err
				}
				defer t.Clear()
				if prepared[i], err = matcher.Prepare(t); err != nil {
					return fmt.Errorf("preparing %s: %w", path, err)
				}
			}
			score := matcher.Score(prepared[0], prepared[1])
			fmt.Fprintf(c.OutOrStdout(), "score %.1f, modelled FMR %.2g\n", score, matcher.FalseMatchRate(score))
			return nil
		},
	}
	c.Flags().Float64Var(&ppi, "ppi", 0, "pixels per inch of both images (default: what the files state, else 500)")
	return c
}
