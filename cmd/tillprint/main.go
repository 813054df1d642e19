// Command tillprint is the hand tool: it shows the whole system on one
// machine, measures the matcher, plays the sensor, and checks receipts.
package main

import (
	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/cmd/internal/terminald"
)

func main() { cli.Main(root()) }

func root() *cobra.Command {
	c := &cobra.Command{
		Use:   "tillprint",
		Short: "Tools for the fingerprint terminal of a cashless school canteen",
		Long: `Tools for the fingerprint terminal of a cashless school canteen.

Start with 'tillprint demo': a school's hub, two terminals and simulated sensors on this machine.`,
	}
	c.AddGroup(
		&cobra.Group{ID: "whole", Title: "The whole system:"},
		&cobra.Group{ID: "measure", Title: "Fingers, measured:"},
		&cobra.Group{ID: "check", Title: "Checks:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, sub := range commands {
			sub.GroupID = group
			c.AddCommand(sub)
		}
	}
	add("whole", demoCommand(), flashCommand())
	add("measure", extractCommand(), matchCommand(), evalCommand(), benchCommand(), sensorCommand())
	add("check", exportCommand(), terminald.WithConfig(terminald.DoctorCommand), verifyCommand())
	c.AddCommand(demoHubCommand(), demoTerminalCommand())
	return c
}
