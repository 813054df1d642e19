package main

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/sync/hub"
)

func heldCommand(s *settings) *cobra.Command {
	var moment string
	var asJSON bool
	c := &cobra.Command{
		Use:   "held SITE TERMINAL",
		Short: "Say what a terminal held, for the report of a theft or a breach",
		Long: `Say what a terminal held, for the report of a theft or a breach: how many records of which kind, how they
were encrypted, where the key was, when it was last heard of, and what it has been ordered since. The answer
rests on what the terminal reported at each sync, so it can be given after the device is gone. It names nobody.`,
		Example: "  tillprint-hub held oakfield till-1 --at 2026-11-23T12:30",
		Args:    cli.Args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			when, err := hub.ParseMoment(moment)
			if err != nil {
				return cli.Usage(err)
			}
			return s.with(c.Context(), func(h *hub.Hub) error {
				e, err := h.Evidence(c.Context(), args[0], args[1], when)
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(c.OutOrStdout()).Encode(e)
				}
				e.Print(c.OutOrStdout())
				return nil
			})
		},
	}
	c.Flags().StringVar(&moment, "at", "", "as of this moment, UTC: 2026-11-23 or 2026-11-23T12:30; now when left out")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}
