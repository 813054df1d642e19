package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/cmd/internal/terminald"
)

func supportCommand(s *settings) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "support-bundle -o FILE.tar.gz",
		Short: "Collect what whoever helps needs to know, and nothing personal",
		Long: `Collect what whoever helps needs to know: the doctor's findings, the settings without passwords, figures, the last lines
of the log, versions. No name, number, PIN or template is in it: the terminal looks for everybody whom it knows
before it writes. It works beside the daemon, which alone has the figures, and without.`,
		Example: "  sudo tillprintd support-bundle -o support.tar.gz",
		Args:    cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if out == "" {
				return cli.Usage(errors.New("-o is missing: name the file, such as support.tar.gz"))
			}
			// Opened before the command goes on as the daemon's user, who may not write here.
			file, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
			if err != nil {
				return fmt.Errorf("writing the bundle: %w", err)
			}
			defer func() {
				if err = errors.Join(err, file.Close()); err != nil {
					_ = os.Remove(out) // half a bundle helps nobody
				}
			}()
			config, err := s.load()
			if err != nil {
				return err
			}
			bundle, err := terminald.RunSupport(c.Context(), config)
			if err != nil {
				return err
			}
			if err := bundle.Pack(file, time.Now()); err != nil {
				return fmt.Errorf("writing the bundle: %w", err)
			}
			for _, name := range slices.Sorted(maps.Keys(bundle)) {
				fmt.Fprintf(c.OutOrStdout(), "%-14s %d bytes\n", name, len(bundle[name]))
			}
			return nil
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "", "file to write")
	return c
}
