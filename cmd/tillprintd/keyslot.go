package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/cmd/internal/terminald"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/keyslot"
)

func keyslotCommand(s *settings) *cobra.Command {
	c := &cobra.Command{
		Use:   "keyslot",
		Short: "Look at, or move, the root key of the store",
		Long: `Look at, or move, the root key of the store.

The key slot decides what may be promised about a withdrawal: a file on the card (file), a TPM 2.0
module (tpm), a small memory chip on the I2C bus (i2c), or half of it with the hub (hub).`,
	}
	c.AddCommand(keyslotStatusCommand(s), keyslotMigrateCommand(s), keyslotDestroyCommand(s))
	return c
}

func keyslotStatusCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say which slot holds the root key, whether it works, and what it promises",
		Args:  cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := s.load()
			if err != nil {
				return err
			}
			return terminald.KeyslotStatus(config, c.OutOrStdout())
		},
	}
}

func keyslotMigrateCommand(s *settings) *cobra.Command {
	var to string
	c := &cobra.Command{
		Use:   "migrate --to KIND",
		Short: "Move the root key to another slot and destroy it in the old one",
		Long: `Move the root key to another slot and destroy it in the old one. Stop the daemon first.

KIND is file, tpm, i2c or hub; its settings are those of the configuration. Keys that lie in that slot from before are
destroyed. A power cut at any moment leaves a terminal that starts with one of the two slots.`,
		Example: "  tillprintd keyslot migrate --to tpm",
		Args:    cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := s.load()
			if err != nil {
				return err
			}
			if !keyslot.KnownKind(to) {
				return cli.Usage(fmt.Errorf("--to is %.40q; use %s", to, keyslot.Kinds))
			}
			if err := terminald.MigrateKeyslot(config, to, config.Log.Logger(os.Stderr), store.Options{Command: "keyslot-migrate"}); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "the root key is in the slot %s now; set keyslot.kind = %q in %s\n", to, to, *s.path)
			return nil
		},
	}
	c.Flags().StringVar(&to, "to", "", "the slot to move to: "+keyslot.Kinds)
	return c
}

func keyslotDestroyCommand(s *settings) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "destroy",
		Short: "Destroy the root key: nothing on this terminal can be opened ever again",
		Long: `Destroy the root key: nothing on this terminal can be opened ever again. Stop the daemon first.

What was enrolled is lost, and the terminal must join anew. 'tillprintd keyslot status' says beforehand what
the destruction is worth. Purging the Debian package does this first.`,
		Args: cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := s.load()
			if err != nil {
				return err
			}
			if !yes {
				question := fmt.Sprintf("Destroy every key of the store in %s? This cannot be undone.", config.Store.Dir)
				if err := cli.Confirm(c.InOrStdin(), c.ErrOrStderr(), question); err != nil {
					return err
				}
			}
			slots, err := terminald.DestroyKeys(config, config.Log.Logger(os.Stderr))
			if err != nil {
				return err
			}
			if len(slots) == 0 {
				fmt.Fprintf(c.OutOrStdout(), "there is no store in %s, and no key\n", config.Store.Dir)
				return nil
			}
			fmt.Fprintf(c.OutOrStdout(), "every key is destroyed (slots: %s); what is left in %s cannot be opened\n", strings.Join(slots, ", "), config.Store.Dir)
			return nil
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}
