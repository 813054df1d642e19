package main

import (
	"fmt"
	"image/png"
	"os"

	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/extract"
	"github.com/tillprint/tillprint/matcher/iso19794"
	"github.com/tillprint/tillprint/matcher/sample"
)

func extractCommand() *cobra.Command {
	var out, overlay string
	var ppi float64
	c := &cobra.Command{
		Use:   "extract IMAGE -o OUT.iso",
		Short: "Find the minutiae of a finger's image",
		Long: `Find the minutiae of a finger's image (TIFF, PNG, BMP or PGM) and write them as an
ISO/IEC 19794-2:2005 record. Both files are personal data when the finger is a person's.`,
		Example: "  tillprint extract finger.png -o finger.iso --overlay seen.png",
		Args:    cli.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			e := extract.New()
			defer e.Clear()
			t, err := extractFile(e, args[0], ppi)
			if err != nil {
				return err
			}
			defer t.Clear()
			if out != "" {
				record, err := iso19794.Marshal(t, iso19794.Meta{})
				if err != nil {
					return fmt.Errorf("encoding the template of %s: %w", args[0], err)
				}
				if err := os.WriteFile(out, record, 0o600); err != nil {
					return fmt.Errorf("writing the template: %w", err)
				}
			}
			if overlay != "" {
				if err := writeOverlay(e, overlay); err != nil {
					return err
				}
			}
			report := e.Report()
			fmt.Fprintf(c.OutOrStdout(), "%d minutiae, quality %d of 100, finger on %.0f %% of the image\n",
				len(t.Minutiae), t.Quality, 100*report.Foreground)
			if fault := report.Condition.Fault(); fault != "" {
				fmt.Fprintf(c.OutOrStdout(), "the print is %s\n", fault)
			}
			return nil
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "", "write the template to this file")
	c.Flags().StringVar(&overlay, "overlay", "", "write a picture of what was found to this PNG file")
	c.Flags().Float64Var(&ppi, "ppi", 0, "pixels per inch of the image (default: what the file states, else 500)")
	return c
}

// extractFile reads an image and extracts its template.
func extractFile(e *extract.Extractor, path string, ppi float64) (*matcher.Template, error) {
	s, err := readImage(path, ppi)
	if err != nil {
		return nil, err
	}
	defer s.Clear()
	t, err := e.Extract(s)
	if err != nil {
		return nil, fmt.Errorf("extracting %s: %w", path, err)
	}
	return t, nil
}

// readImage reads an image; ppi 0 takes the file's own resolution, or 500 when
// it states none.
func readImage(path string, ppi float64) (*sample.Sample, error) {
	s, err := sample.ReadFile(path)
	if err != nil {
		return nil, err
	}
	switch {
	case ppi != 0:
		s.PPI = ppi
	case s.PPI == 0:
		s.PPI = matcher.PPI
	}
	return s, nil
}

func writeOverlay(e *extract.Extractor, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("writing the overlay: %w", err)
	}
	if err := png.Encode(f, e.Overlay()); err != nil {
		f.Close()
		return fmt.Errorf("writing the overlay %s: %w", path, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("writing the overlay %s: %w", path, err)
	}
	return nil
}
