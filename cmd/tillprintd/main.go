// Command tillprintd is the terminal: it drives the fingerprint sensor, finds
// the pupil in memory, and serves by PIN, name and cash whatever else fails.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/cmd/internal/terminald"
	"github.com/tillprint/tillprint/store"
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
	c.AddCommand(runCommand(s), setupCommand(), joinCommand(s), firstStartCommand(s), updateCommand(s), keyslotCommand(s),
		terminald.DoctorCommand(s.load), selfTestCommand(s), supportCommand(s), decommissionCommand(s),
		cli.ConfigCommand(terminald.Example, func(path string) error { _, err := terminald.Load(path); return err }))
	return c
}

func runCommand(s *settings) *cobra.Command {
	var await bool
	var notes string
	c := &cobra.Command{
		Use:   "run",
		Short: "Serve until stopped",
		Long: `Serve until stopped. What is missing, a sensor, the hub, a store that opens, stands on the page, and
what can be served without it is.`,
		Args: cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := s.load()
			if err != nil {
				return err
			}
			// systemd learns that pupils can be served; without systemd this does nothing.
			ready := func() { _, _ = daemon.SdNotify(false, daemon.SdNotifyReady) }
			err = terminald.Run(c.Context(), config, config.Log.Logger(os.Stderr), terminald.Hooks{Serving: ready, AwaitJoin: await, Notes: lines(notes)})
			if errors.Is(err, terminal.ErrWiped) {
				return cli.Final(err)
			}
			return err
		},
	}
	c.Flags().BoolVar(&await, "await-join", false, "take cash until this device has joined, instead of ending")
	c.Flags().StringVar(&notes, "notes", "", "a file with sentences for the page, one a line, of whatever starts the daemon")
	return c
}

// lines are those of a file, if it is there: what a system has to say is no reason not to serve.
func lines(path string) (all []string) {
	text, _ := os.ReadFile(path)
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(strings.ToValidUTF8(line, "")); line != "" {
			all = append(all, line)
		}
	}
	return all
}

func joinCommand(s *settings) *cobra.Command {
	var name, request, answer string
	c := &cobra.Command{
		Use:   "join CODE",
		Short: "Make this device a terminal of a school",
		Long: `Make this device a terminal of the school whose office printed CODE. The code is good once, for a day.

Without a network it takes two files: --request writes one to carry to the hub, where 'tillprint-hub join-answer' makes the
other; --answer, without CODE, joins with that. The answer is of use to this terminal only.`,
		Example: `  tillprintd join 'tillprint-join:v1?...'
  tillprintd join 'tillprint-join:v1?...' --request request.json
  tillprintd join --answer answer.json`,
		Args: cli.Args(func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || (len(args) == 1) == (answer != "") || answer != "" && request != "" {
				return errors.New("join takes a code from the office, or --answer with the hub's file")
			}
			return nil
		}),
		RunE: func(c *cobra.Command, args []string) error {
			config, err := s.load()
			if err != nil {
				return err
			}
			if request != "" {
				return writeRequest(c, config, args[0], name, request)
			}
			var id store.Identity
			if answer != "" {
				id, err = joinFrom(c, config, answer)
			} else {
				id, err = terminald.Join(c.Context(), config, args[0], name)
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "this is now %v; next: tillprintd run\n", id)
			return nil
		},
	}
	c.Flags().StringVar(&name, "name", "", "the name that this terminal would like; the hub decides")
	c.Flags().StringVar(&request, "request", "", "write a request to carry to the hub into this file")
	c.Flags().StringVar(&answer, "answer", "", "join with the hub's answer in this file")
	return c
}

func writeRequest(c *cobra.Command, config terminald.Config, code, name, path string) error {
	request, err := terminald.JoinRequest(config, code, name)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, request, 0o644); err != nil {
		return fmt.Errorf("writing the request: %w", err)
	}
	fmt.Fprintf(c.OutOrStdout(), "carry %s to the hub: tillprint-hub join-answer; then: tillprintd join --answer FILE\n", path)
	return nil
}

func joinFrom(c *cobra.Command, config terminald.Config, path string) (store.Identity, error) {
	answer, err := terminald.ReadAnswer(path)
	if err != nil {
		return store.Identity{}, err
	}
	return terminald.JoinFrom(c.Context(), config, answer)
}
