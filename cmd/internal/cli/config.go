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
// daemon's configuration, and says with check whether a file is one.
func ConfigCommand(example string, check func(path string) error) *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "About the configuration file", Args: Args(cobra.NoArgs)}
	c.AddCommand(&cobra.Command{
		Use:   "example",
		Short: "Print every setting with its default and its meaning",
		Args:  Args(cobra.NoArgs),
		Run:   func(c *cobra.Command, _ []string) { fmt.Fprint(c.OutOrStdout(), example) },
	}, &cobra.Command{
		Use:   "check FILE",
		Short: "Say whether a file is a configuration, and what is wrong with it",
		Args:  Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if err := check(args[0]); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s is good\n", args[0])
			return nil
		},
	})
	return c
}
