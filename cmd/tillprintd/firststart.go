package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/cmd/internal/terminald"
)

func firstStartCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "first-start FILE",
		Short: "Join with the file that 'tillprint flash' put onto the card",
		Long: `Join with the file that 'tillprint flash' put onto the card, and delete it. The image's own unit calls
this at the first start. The hub is asked again and again until it can be reached; a code that it refuses ends it.`,
		Args: cli.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			config, err := s.load()
			if err != nil {
				return err
			}
			id, err := terminald.FirstStart(c.Context(), config, args[0], config.Log.Logger(os.Stderr), time.After)
			if err != nil {
				return err
			}
			if id.Terminal != "" {
				fmt.Fprintf(c.OutOrStdout(), "this is now %v\n", id)
			}
			return nil
		},
	}
}
