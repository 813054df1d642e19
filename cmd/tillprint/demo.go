package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/cmd/internal/demo"
	"github.com/tillprint/tillprint/cmd/internal/hubd"
	"github.com/tillprint/tillprint/cmd/internal/terminald"
	"github.com/tillprint/tillprint/device/zfm/zfmsim"
)

func demoCommand() *cobra.Command {
	o := demo.Options{Pupils: 1200}
	var sensor, wire string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run the whole system on this machine, with simulated sensors",
		Long: `Run the whole system on this machine: a school's hub, two terminals, and a simulated fingerprint
module on a real pseudo-terminal for each. The first line names the page to open.

With --script it plays a canteen hour without a person, prints a line for each press, checks
every step, and exits 0 only if all of them held.`,
		Example: "  tillprint demo\n  tillprint demo --fingers fvc2002_db1_b --script",
		Args:    cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if o.Sensor, err = zfmsim.ModelByName(sensor); err != nil {
				return cli.Usage(err)
			}
			if o.Paced, err = paced(wire, o.Script); err != nil {
				return cli.Usage(err)
			}
			o.Out, o.Progress = c.OutOrStdout(), stages(c)
			if err = demo.Run(c.Context(), o); errors.Is(err, demo.ErrPupils) {
				return cli.Usage(err)
			}
			return err
		},
	}
	c.Flags().StringVar(&o.Fingers, "fingers", "", "press the images FINGER_IMPRESSION.ext of this folder (default: synthetic fingers)")
	c.Flags().IntVar(&o.Pupils, "pupils", o.Pupils, "size of the school")
	c.Flags().StringVar(&sensor, "sensor", "r503", "the simulated module: r503, r307 or r558")
	c.Flags().StringVar(&wire, "wire", "", "paced, as a real serial line, or instant (default: paced, but instant with --script)")
	c.Flags().BoolVar(&o.Script, "script", false, "play a canteen hour, check it, and end")
	c.Flags().StringVar(&o.Listen, "listen", "127.0.0.1:8080", "where the demo's page listens; another port if that one is taken")
	return c
}

func paced(wire string, script bool) (bool, error) {
	switch wire {
	case "":
		return !script, nil
	case "paced":
		return true, nil
	case "instant":
		return false, nil
	}
	return false, fmt.Errorf("--wire %q is not known; use paced or instant", wire)
}

// stages shows a progress bar for each stage of making the school.
func stages(c *cobra.Command) func(what string, done, total int) {
	bars := map[string]func(done, total int){}
	return func(what string, done, total int) {
		if _, ok := bars[what]; !ok {
			bars[what] = progress(c.ErrOrStderr(), what)
		}
		if show := bars[what]; show != nil {
			show(done, total)
		}
	}
}

// demoHubCommand is the hub's daemon inside this binary, for the demo alone.
func demoHubCommand() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use: "demo-hub", Hidden: true, Args: cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := hubd.Load(path)
			if err != nil {
				return err
			}
			return hubd.Run(c.Context(), config, config.Log.Logger(os.Stderr), tellReady)
		},
	}
	c.Flags().StringVar(&path, "config", "", "configuration")
	return c
}

// demoTerminalCommand is the terminal's daemon inside this binary, with what
// only a demonstration may have: a watch on its figures, and a place to stop
// dead in the middle of a wipe.
func demoTerminalCommand() *cobra.Command {
	var path, watch, stopAt string
	c := &cobra.Command{
		Use: "demo-terminal", Hidden: true, Args: cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := terminald.Load(path)
			if err != nil {
				return err
			}
			w := demo.NewWatch()
			return terminald.Run(c.Context(), config, config.Log.Logger(os.Stderr), terminald.Hooks{
				OnScan: w.Scanned,
				OnStep: stopDead(stopAt),
				Ready: func(t *terminald.Terminal) error {
					if err := w.Open(c.Context(), watch, t); err != nil {
						return err
					}
					tellReady()
					return nil
				},
			})
		},
	}
	c.Flags().StringVar(&path, "config", "", "configuration")
	c.Flags().StringVar(&watch, "watch", "", "socket for the demo")
	c.Flags().StringVar(&stopAt, "stop-at", "", "step of a wipe at which to stop dead")
	return c
}

func tellReady() { _, _ = daemon.SdNotify(false, daemon.SdNotifyReady) }

// stopDead holds the store at a step, as it would be at that moment of a power
// cut, and says so; the demo then kills the process.
func stopDead(at string) func(step string) {
	if at == "" {
		return nil
	}
	return func(step string) {
		if step == at {
			_, _ = daemon.SdNotify(false, "STATUS=stopped at "+step)
			select {}
		}
	}
}
