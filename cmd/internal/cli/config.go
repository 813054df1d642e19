package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

// ConfigFlag adds the flag with which every daemon's command takes its
// configuration file, and returns where its value will stand.
func ConfigFlag(c *cobra.Command, usual string) *string {
	return c.PersistentFlags().StringP("config", "c", usual, "the configuration file")
}

// ConfigCommand is the command that prints the commented example of a
// daemon's configuration.
func ConfigCommand(example string) *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "About the configuration file", Args: Args(cobra.NoArgs)}
	c.AddCommand(&cobra.Command{
		Use:   "example",
		Short: "Print every setting with its default and its meaning",
		Args:  Args(cobra.NoArgs),
		Run:   func(c *cobra.Command, _ []string) { fmt.Fprint(c.OutOrStdout(), example) },
	})
	return c
}
