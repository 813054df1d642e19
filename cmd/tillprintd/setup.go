package main

import (
	"fmt"
	"io"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/deploy/board"
)

func setupCommand() *cobra.Command {
	var root string
	var yes, dry bool
	c := &cobra.Command{
		Use:   "setup",
		Short: "Prepare this Raspberry Pi: the UART for the sensor, I2C and SPI on",
		Long: `Prepare this Raspberry Pi: the UART on the header for the sensor alone, with the console and Bluetooth
moved away from it, I2C and SPI on.

It shows what it would change in config.txt, cmdline.txt and the units, and asks. What is as it should
be is left alone, so it may be run at any time. Run it as root; the changes count from the next boot.`,
		Example: "  sudo tillprintd setup\n  tillprintd setup --dry-run",
		Args:    cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			plan, err := board.Plan(root)
			if err != nil {
				return err
			}
			out := c.OutOrStdout()
			fmt.Fprintf(out, "the sensor's port on this board: %s\n", board.SensorPort(root))
			if len(plan) == 0 {
				fmt.Fprintln(out, "everything is as it should be; nothing to change")
				return nil
			}
			show(out, plan)
			if dry {
				return nil
			}
			if !yes {
				if err := cli.Confirm(c.InOrStdin(), c.ErrOrStderr(), "Make these changes?"); err != nil {
					return err
				}
			}
			if err := board.Apply(root, plan); err != nil {
				return fmt.Errorf("%w; run it with sudo, and look whether the card is write-protected", err)
			}
			fmt.Fprintln(out, "done; they count from the next boot: sudo reboot")
			return nil
		},
	}
	c.Flags().StringVar(&root, "root", "/", "the system to prepare, where that is not the running one")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&dry, "dry-run", false, "only show what would change")
	return c
}

// show prints the plan as a person reads changes: what goes with -, what comes with +.
func show(out io.Writer, plan []board.Change) {
	for _, c := range plan {
		if c.Mask {
			fmt.Fprintf(out, "switch off %s\n", c.Path)
			continue
		}
		_, _ = out.Write(diff.Diff(c.Path, c.Before, c.Path+" (new)", c.After))
	}
}
