package main

import (
	"fmt"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/cmd/internal/terminald"
	"github.com/tillprint/tillprint/deploy/update"
)

func updateCommand(s *settings) *cobra.Command {
	c := &cobra.Command{
		Use:   "update",
		Short: "Replace this card's kernel, firmware and root by a signed version, or fall back",
		Long: `Replace this card's kernel, firmware and root by a signed version, or fall back.

Only for terminals that were started from Tillprint's own image; on Raspberry Pi OS, packages do this. An update is written
into the slot that does not run. A start on trial is committed when the daemon serves what the version before did;
otherwise the next start is the old version's.`,
		Args: cli.Args(cobra.NoArgs),
	}
	c.AddCommand(updateStatusCommand(), updateInstallCommand(s), updateApplyCommand(s), updateTryCommand(s), updateConfirmCommand(s), updateForgetCommand(s))
	return c
}

func updateStatusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say which slot runs, and whether it is committed",
		Args:  cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			card, err := terminald.ThisCard()
			if err != nil {
				return err
			}
			committed, err := update.Committed(card.Autoboot)
			if err != nil {
				return err
			}
			how := "committed"
			if committed != card.Running {
				how = fmt.Sprintf("on trial; slot %v is committed", committed)
			}
			fmt.Fprintf(c.OutOrStdout(), "slot %v runs, version %s (%d), %s\n", card.Running, cli.Version(), card.Sequence, how)
			return nil
		},
	}
}

func updateInstallCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "install FOLDER",
		Short: "Write a bundle into the slot that does not run",
		Long: `Write the bundle in FOLDER (bundle.release, boot.img.zst, root.img.zst) into the slot that does not run, and read
it back. It can be repeated after any failure. 'tillprintd update try' starts it. A version that was tried before and did
not serve is refused, so that a stick that is left in is not tried for ever: 'tillprintd update forget', or a new word in a
file called again.txt in FOLDER, has it tried once more.`,
		Args: cli.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			card, err := terminald.ThisCard()
			if err != nil {
				return err
			}
			key, err := terminald.ReleaseKey()
			if err != nil {
				return err
			}
			r, err := card.Open(args[0], key)
			if err != nil {
				return err
			}
			config, err := terminald.Load(*s.path) // and stay root
			if err != nil {
				return cli.Usage(err)
			}
			if err := config.Untried(args[0], r); err != nil {
				return err
			}
			var size int64
			for _, f := range r.Files {
				size += 2 * f.Unpacked.Size // written, then read back
			}
			bar := progressbar.NewOptions64(size, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetVisibility(term.IsTerminal(int(os.Stderr.Fd()))), progressbar.OptionShowBytes(true),
				progressbar.OptionSetDescription("writing and reading back"), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
			err = card.Install(c.Context(), args[0], r, func(n int) { _ = bar.Add(n) })
			_ = bar.Finish() // a bar that cannot be drawn harms nothing
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "version %s is in slot %v; slot %v stays committed until the new one serves\n", r.Version, card.Running.Other(), card.Running)
			return nil
		},
	}
}

func updateApplyCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "apply",
		Short: "Install what the daemon has fetched; the image's own unit calls this as root",
		Long: `Install the version that the hub has staged and the daemon has fetched, as 'update install' does, and leave word of
how that went. Everything is checked against the release key again. Outside the hours (update.hours), and in another start
of the machine than the one that fetched it, nothing is installed and the files stay: the daemon has it done when the hours
come again. It exits 1 when nothing was installed.`,
		Args: cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := terminald.Load(*s.path) // and stay root
			if err != nil {
				return cli.Usage(err)
			}
			card, err := terminald.ThisCard()
			if err != nil {
				return err
			}
			key, err := terminald.ReleaseKey()
			if err != nil {
				return err
			}
			version, err := terminald.ApplyUpdate(c.Context(), config, card, key, time.Now(), canTry(), func(int) {})
			if err == nil {
				fmt.Fprintf(c.OutOrStdout(), "version %s is in slot %v\n", version, card.Running.Other())
			}
			return err
		},
	}
}

func updateConfirmCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "confirm",
		Short: "Commit the slot that runs, if its daemon serves; the image's own unit calls this",
		Long: `Commit the slot that runs on trial, if its daemon serves what the version before has served: the store is open, PINs
are served and the sensor is ready if they were before. Otherwise nothing is committed, and the unit asks again until the
trial's time is over.`,
		Args: cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			card, err := terminald.ThisCard()
			if err != nil {
				return err
			}
			config, err := terminald.Load(*s.path) // and stay root
			if err != nil {
				return cli.Usage(err)
			}
			done, err := terminald.Confirm(c.Context(), config, card)
			if done && err == nil {
				fmt.Fprintf(c.OutOrStdout(), "slot %v is committed\n", card.Running)
			}
			return err
		},
	}
}

func updateForgetCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "forget",
		Short: "Have versions tried once more that were tried and did not serve",
		Args:  cli.Args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			config, err := terminald.Load(*s.path)
			if err != nil {
				return cli.Usage(err)
			}
			return config.ForgetTried()
		},
	}
}
