package main

import (
	"fmt"
	"math"
	"os"

	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/eval/chart"
	"github.com/tillprint/tillprint/matcher/extract"
)

func matchCommand() *cobra.Command {
	var ppi float64
	var overlay string
	c := &cobra.Command{
		Use:   "match PROBE REFERENCE",
		Short: "Compare two images of fingers",
		Long: `Compare two images of fingers and print how alike they are: the score, and the
modelled rate at which two different fingers would score as high (FMR).
With --overlay it draws which minutiae were taken for the same. The drawing is personal
data when the fingers are a person's.`,
		Example: "  tillprint match 101_1.tif 101_2.tif --overlay why.png",
		Args:    cli.Args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			var sides [2]side
			for i, path := range args {
				if err := sides[i].read(path, ppi); err != nil {
					return err
				}
				defer sides[i].clear()
			}
			why := matcher.Explain(sides[0].prepared, sides[1].prepared)
			defer why.Clear()
			fmt.Fprintf(c.OutOrStdout(), "score %.1f, modelled FMR %.2g\n", why.Score, matcher.FalseMatchRate(why.Score))
			if overlay == "" {
				return nil
			}
			fmt.Fprintf(c.OutOrStdout(), "%d minutiae paired, probe turned by %.1f° to the reference\n", len(why.Mates), why.Turned*180/math.Pi)
			return writeMatch(overlay, &sides, &why)
		},
	}
	c.Flags().StringVar(&overlay, "overlay", "", "draw both prints and the paired minutiae to this PNG file")
	c.Flags().Float64Var(&ppi, "ppi", 0, "pixels per inch of both images (default: what the files state, else 500)")
	return c
}

// A side is one of the two prints. Clear it after use.
type side struct {
	chart.Print
	prepared *matcher.Prepared
}

func (z *side) read(path string, ppi float64) (err error) {
	e := extract.New()
	defer e.Clear()
	if z.Image, err = readImage(path, ppi); err != nil {
		return err
	}
	if z.Template, err = e.Extract(z.Image); err != nil {
		z.Image.Clear()
		return fmt.Errorf("extracting %s: %w", path, err)
	}
	if z.prepared, err = matcher.Prepare(z.Template); err != nil {
		z.Image.Clear()
		z.Template.Clear()
		return fmt.Errorf("preparing %s: %w", path, err)
	}
	return nil
}

func (z *side) clear() {
	z.Image.Clear()
	z.Template.Clear()
	z.prepared.Clear()
}

func writeMatch(path string, sides *[2]side, why *matcher.Explanation) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("writing the overlay: %w", err)
	}
	defer closing(f, &err)
	if err := chart.Match(f, sides[0].Print, sides[1].Print, why); err != nil {
		return fmt.Errorf("writing the overlay %s: %w", path, err)
	}
	return nil
}
