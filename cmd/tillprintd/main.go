// Command tillprintd is the terminal: it drives the fingerprint sensor, finds
// the pupil in memory, and serves by PIN, name and cash whatever else fails.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/cmd/internal/terminald"
	"github.com/tillprint/tillprint/sync/terminal"
)

func main() { cli.Main(root()) }

// settings is the configuration that every subcommand works on.
type settings struct{ path *string }

func (s *settings) load() (terminald.Config, error) {
	return terminald.LoadForCommand(*s.path)
}

func root() *cobra.Command {
	s := &settings{}
	c := &cobra.Command{
		Use:   "tillprintd",
		Short: "The fingerprint terminal of a cashless canteen",
		Long: `The fingerprint terminal of a cashless canteen.

A new terminal: the office prints a join code ('tillprint-hub join-code'), 'tillprintd join CODE'
redeems it, 'tillprintd run' serves. Who may be matched comes signed from the hub.`,
	}
	s.path = cli.ConfigFlag(c, terminald.ConfigPath)
	c.AddCommand(runCommand(s), setupCommand(), joinCommand(s), firstStartCommand(s), updateCommand(), keyslotCommand(s),
		terminald.DoctorCommand(s.load), selfTestCommand(s), decommissionCommand(s),
		cli.ConfigCommand(terminald.Example))
	return c
}

func runCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "run",
		Short: "Serve until stopped",
		Args:  cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := s.load()
			if err != nil {
				return err
			}
			// systemd learns that pupils can be served; without systemd this does nothing.
			ready := func() { _, _ = daemon.SdNotify(false, daemon.SdNotifyReady) }
			err = terminald.Run(c.Context(), config, config.Log.Logger(os.Stderr), terminald.Hooks{Serving: ready})
			if errors.Is(err, terminal.ErrWiped) {
				return cli.Final(err)
			}
			return err
		},
	}
}

func joinCommand(s *settings) *cobra.Command {
	var name string
	c := &cobra.Command{
		Use:     "join CODE",
		Short:   "Make this device a terminal of a school",
		Long:    "Make this device a terminal of the school whose office printed CODE. The code is good once, for a day.",
		Example: "  tillprintd join 'tillprint-join:v1?...'",
		Args:    cli.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			config, err := s.load()
			if err != nil {
				return err
			}
			id, err := terminald.Join(c.Context(), config, args[0], name)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "this is now %v; next: tillprintd run\n", id)
			return nil
		},
	}
	c.Flags().StringVar(&name, "name", "", "the name that this terminal would like; the hub decides")
	return c
}
