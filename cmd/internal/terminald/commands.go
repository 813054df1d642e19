package terminald

import (
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
)

// The commands below belong to tillprintd and, for those who look there first, to the hand tool: each takes
// what loads its configuration.

// WithConfig gives a command of a tool that has no --config of its own that flag, and what loads the file.
func WithConfig(command func(load func() (Config, error)) *cobra.Command) *cobra.Command {
	var path *string
	c := command(func() (Config, error) { return LoadForCommand(*path) })
	path = cli.ConfigFlag(c, ConfigPath)
	return c
}

// LoadForCommand is Load for a command, whose configuration mistakes are mistakes in its use. The command goes on as the
// owner of the store, so that what somebody does with sudo is done as the daemon would.
func LoadForCommand(path string) (Config, error) {
	c, err := Load(path)
	if err != nil {
		return c, cli.Usage(err)
	}
	return c, cli.BecomeOwner(c.Store.Dir)
}

// DoctorCommand examines the terminal.
func DoctorCommand(load func() (Config, error)) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Examine the terminal of this machine",
		Long: `Examine the terminal of this machine: the invariants of its store, its key slot and what that
promises, the lease, the register, what waits for the hub, the sensor.

Where the daemon runs, it is asked, and the sensor is not disturbed; run this as the user that owns the
store. The output names nobody and may be sent to whoever helps. The exit code is 0 if nothing is bad
and 1 otherwise.`,
		Example: "  tillprint doctor --config " + ConfigPath,
		Args:    cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := load()
			if err != nil {
				return err
			}
			d, err := Doctor(c.Context(), config)
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(c.OutOrStdout())
				e.SetIndent("", "  ")
				err = e.Encode(d)
			} else {
				d.Print(c.OutOrStdout())
			}
			if err == nil && !d.Sound() {
				err = errors.New("something is bad: see above")
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}
