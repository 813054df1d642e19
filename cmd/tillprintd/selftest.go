package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/cmd/internal/terminald"
)

func selfTestCommand(s *settings) *cobra.Command {
	var hands bool
	c := &cobra.Command{
		Use:   "selftest",
		Short: "Try the terminal's parts: sensor, touch line, lights, buzzer, keypad, clock, card, key slot",
		Long: `Try the terminal's parts: sensor and its rate, touch line, lights, buzzer, keypad, clock, card, key slot.
A terminal does so at its first start by itself; the result stands on its page and at the hub. Where the
daemon runs, it is asked, and a sensor that the till uses is not disturbed.

With --hands somebody lays a finger of their own on the sensor, for the quality of the image, and presses a
key. The daemon must be stopped for that. Nothing of the finger is kept. The exit code is 1 if a part is bad.`,
		Args: cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := s.load()
			if err != nil {
				return err
			}
			say := func(format string, args ...any) { fmt.Fprintf(c.ErrOrStderr(), format+"\n", args...) }
			result, err := terminald.RunSelfTest(c.Context(), config, hands, say)
			if err != nil {
				return err
			}
			result.Print(c.OutOrStdout())
			if !result.Sound() {
				return errors.New("something is bad: see above")
			}
			return nil
		},
	}
	c.Flags().BoolVar(&hands, "hands", false, "with a finger and a key press of the technician's")
	return c
}
