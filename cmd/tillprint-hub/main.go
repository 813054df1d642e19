// Command tillprint-hub is the school's hub: it keeps what parents and pupils
// have said, tells every terminal what it must hold, and shows the office what
// each terminal has done.
package main

import (
	"os"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/cmd/internal/hubd"
)

func main() { cli.Main(root()) }

// settings is the configuration that every subcommand works on.
type settings struct{ path *string }

// load reads the configuration and goes on as the user whose hub it names.
func (s *settings) load() (hubd.Config, error) {
	c, err := hubd.Load(*s.path)
	if err != nil {
		return c, cli.Usage(err)
	}
	return c, cli.BecomeOwner(c.Dir)
}

func root() *cobra.Command {
	s := &settings{}
	c := &cobra.Command{
		Use:   "tillprint-hub",
		Short: "The school's hub for fingerprint terminals",
		Long: `The school's hub for fingerprint terminals.

A new hub: 'init' makes its keys, 'site add' its first school, 'officer add' the first account
of the office; then 'run' serves. 'join-code' prints the code with which a terminal joins.`,
	}
	s.path = cli.ConfigFlag(c, "/etc/tillprint/tillprint-hub.toml")
	c.AddCommand(runCommand(s), initCommand(s), siteCommand(s), officerCommand(s), joinCodeCommand(s), joinAnswerCommand(s), commissionCommand(s), readmitCommand(s), heldCommand(s), decommissionedCommand(s), pinsCommand(s), updateCommand(s), labelsCommand(s), authorityCommand(s), tillBrowserCommand(s), tillBrowsersCommand(s), cli.ConfigCommand(hubd.Example, func(path string) error { _, err := hubd.Load(path); return err }))
	return c
}

func runCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "run",
		Short: "Serve terminals and the office until stopped",
		Args:  cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := s.load()
			if err != nil {
				return err
			}
			return hubd.Run(c.Context(), config, config.Log.Logger(os.Stderr), notifyReady)
		},
	}
}

// notifyReady tells systemd, if it started us, that the hub answers.
func notifyReady() { _, _ = daemon.SdNotify(false, daemon.SdNotifyReady) }
