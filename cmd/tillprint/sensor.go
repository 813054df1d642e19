package main

import (
	"context"
	"errors"
	"fmt"
	"image/png"
	"os"

	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/device/zfm/zfmsim"
)

func sensorCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "sensor",
		Short: "Try a fingerprint module, or play one",
		Args:  cli.Args(cobra.NoArgs),
	}
	c.AddCommand(sensorInfoCommand(), sensorScanCommand(), sensorSimCommand())
	return c
}

func sensorInfoCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "info PORT",
		Short:   "Find the module on a serial port and say what it is",
		Example: "  tillprint sensor info /dev/serial0",
		Args:    cli.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			m, err := zfm.Open(c.Context(), args[0], zfm.Options{})
			if err != nil {
				return err
			}
			defer m.Close()
			i := m.Info()
			fmt.Fprintf(c.OutOrStdout(), "family %v, model %q, serial %q\nimage %dx%d at %.0f ppi\n%d baud, packets of %d bytes\n",
				i.Family, i.Name, i.Serial, i.Width, i.Height, i.PPI, i.Baud, i.PacketSize)
			n, err := m.TemplateCount(c.Context())
			if err != nil {
				return fmt.Errorf("asking for the module's own library: %w", err)
			}
			fmt.Fprintf(c.OutOrStdout(), "%d templates in the module's own library; Tillprint stores none there\n", n)
			return nil
		},
	}
}

func sensorScanCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "scan PORT -o IMAGE.png",
		Short: "Take one image from the module",
		Long:  "Take one image from the module. The file is personal data: use your own finger, and delete it.",
		Args:  cli.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) (err error) {
			m, err := zfm.Open(c.Context(), args[0], zfm.Options{})
			if err != nil {
				return err
			}
			defer m.Close()
			s, timing, err := m.Scan(c.Context(), nil)
			if err != nil {
				return err
			}
			defer s.Clear()
			f, err := os.OpenFile(out, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
			if err != nil {
				return fmt.Errorf("writing the image: %w", err)
			}
			defer closing(f, &err)
			fmt.Fprintf(c.OutOrStdout(), "%dx%d pixels, capture %d ms, wire %d ms\n", s.Width, s.Height, timing.Capture.Milliseconds(), timing.Wire.Milliseconds())
			return png.Encode(f, s.Image())
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "finger.png", "the PNG file to write")
	return c
}

func sensorSimCommand() *cobra.Command {
	var o zfmsim.Options
	var model string
	var instant bool
	c := &cobra.Command{
		Use:   "sim",
		Short: "Play a fingerprint module on a pseudo-terminal",
		Long: `Play a fingerprint module on a pseudo-terminal and print the port's path. Commands come from
standard input, one a line:

` + zfmsim.Help,
		Example: "  tillprint sensor sim --model r503 --link /tmp/sensor",
		Args:    cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			m, err := zfmsim.ModelByName(model)
			if err != nil {
				return cli.Usage(err)
			}
			o.Model, o.Paced = m, !instant
			return runSim(c, o)
		},
	}
	c.Flags().StringVar(&model, "model", "r503", "the module to play: r503, r307 or r558")
	c.Flags().BoolVar(&instant, "instant", false, "send as fast as the machine can, not at the module's baud rate")
	c.Flags().IntVar(&o.Baud, "baud", 0, "the module's rate when switched on (default 57600)")
	c.Flags().Uint64Var(&o.Seed, "seed", 1, "seed of noise and faults")
	c.Flags().StringVar(&o.Link, "link", "", "keep a symbolic link to the port at this path")
	return c
}

// runSim serves until the commands end, "quit" is typed, or a signal comes.
func runSim(c *cobra.Command, o zfmsim.Options) error {
	sim, err := zfmsim.New(o)
	if err != nil {
		return err
	}
	defer sim.Close()
	fmt.Fprintln(c.OutOrStdout(), sim.Path())
	ctx, stop := context.WithCancel(c.Context())
	served := make(chan error, 1)
	go func() { served <- sim.Run(ctx) }()
	err = sim.Control(ctx, c.InOrStdin(), c.OutOrStdout())
	stop()
	if e := <-served; err == nil && !errors.Is(e, context.Canceled) {
		err = e
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
