package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/sync/hub"
)

func decommissionedCommand(s *settings) *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "decommissioned SITE --certificate FILE",
		Short: "Take the certificate of a terminal that was decommissioned",
		Long: `Take the certificate that 'tillprintd decommission' has written, where the terminal could not tell the hub itself. It is
checked with the key that the terminal joined with; the terminal is removed, and 'held' says what became of it.`,
		Example: "  tillprint-hub decommissioned oakfield --certificate till-1-certificate.txt",
		Args:    cli.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if path == "" {
				return cli.Usage(errors.New("name the certificate's file with --certificate"))
			}
			f, err := os.Open(path) // before the hub's owner takes over, who may not read a technician's folder
			if err != nil {
				return cli.Usage(fmt.Errorf("reading the certificate: %w", err))
			}
			defer f.Close()
			text, err := io.ReadAll(io.LimitReader(f, 64<<10))
			if err != nil {
				return fmt.Errorf("reading the certificate: %w", err)
			}
			return s.with(c.Context(), func(h *hub.Hub) error {
				name, err := h.Dispose(c.Context(), args[0], administrator, string(text))
				if err == nil {
					fmt.Fprintf(c.OutOrStdout(), "%s is no more: it is removed, and its certificate is kept\n", name)
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&path, "certificate", "", "the file that 'tillprintd decommission -o' has written")
	return c
}
