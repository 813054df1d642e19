package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/cmd/internal/terminald"
)

// trialModule is there where the image's kernel module has found the Pi's firmware. It makes the restart below a trial.
const trialModule = "/sys/module/tillprint_tryboot"

func updateTryCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "try [FOLDER]",
		Short: "Restart into the slot that does not run, once",
		Long: `Restart into the slot that does not run, once, by the firmware's one-shot flag. If the new version does not serve
within ten minutes, hangs, or does not start at all, the next start is the present version's again. A slot that no update was
written into completely is not tried, nor one that holds an older version which is not signed to go back to. FOLDER is where
it was installed from.`,
		Args: cli.Args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			card, err := terminald.ThisCard()
			if err != nil {
				return err
			}
			key, err := terminald.ReleaseKey()
			if err != nil {
				return err
			}
			r, err := card.Tryable(key)
			if err != nil {
				return err
			}
			if err := canTry(); err != nil {
				return err
			}
			config, err := terminald.Load(*s.path) // and stay root
			if err != nil {
				return cli.Usage(err)
			}
			if err := config.NoteTrial(strings.Join(args, ""), r.Sequence); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "restarting into slot %v, on trial\n", card.Running.Other())
			restart := exec.CommandContext(c.Context(), "systemctl", "reboot", "--no-block", "--reboot-argument=0 tryboot")
			restart.Stdout, restart.Stderr = os.Stdout, os.Stderr
			if err := restart.Run(); err != nil {
				return fmt.Errorf("restarting on trial: %w", err)
			}
			return nil
		},
	}
}

// canTry says why this machine cannot start a version on trial, if it cannot.
func canTry() error {
	if _, err := os.Stat(trialModule); err != nil {
		return errors.New("this machine cannot start a version on trial: its kernel has not found a Raspberry Pi's firmware to ask")
	}
	return nil
}
