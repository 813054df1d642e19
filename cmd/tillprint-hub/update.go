package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/deploy/release"
	"github.com/tillprint/tillprint/sync/hub"
	"github.com/tillprint/tillprint/sync/register"
)

func updateCommand(s *settings) *cobra.Command {
	c := &cobra.Command{
		Use:   "update",
		Short: "Have terminals take a new version, a few at first",
		Long: `Have terminals take a new version: one of each board first, then a tenth of those chosen, then the others. A wave begins
when every terminal before runs the version and has committed it, and in each wave at least one; one that takes its versions
from packages is left out and proves nothing. The first failure stops what has not begun. Terminals fetch and install outside
serving hours (update.hours in their settings), and only what is signed with the release key; one that is switched off then
waits.`,
		Args: cli.Args(cobra.NoArgs),
	}
	c.AddCommand(updateAddCommand(s), updateStageCommand(s), updateStatusCommand(s), updateStopCommand(s))
	return c
}

func updateAddCommand(s *settings) *cobra.Command {
	var key string
	c := &cobra.Command{
		Use:     "add FOLDER --key FILE",
		Short:   "Keep a version's bundle (bundle.release and its files) at the hub",
		Example: "  tillprint-hub update add v1.2.0/ --key release.key",
		Args:    cli.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := checkedBundle(args[0], key)
			if err != nil {
				return err
			}
			return s.with(c.Context(), func(h *hub.Hub) error {
				err := h.AddBundle(c.Context(), hub.Bundle{Version: r.Version, Sequence: r.Sequence}, args[0])
				if err == nil {
					fmt.Fprintf(c.OutOrStdout(), "version %s (%d) can be staged\n", r.Version, r.Sequence)
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&key, "key", "", "the release key that it must be signed with")
	return c
}

// checkedBundle reads a bundle's statement and compares its files with it.
func checkedBundle(folder, keyFile string) (*release.Release, error) {
	if keyFile == "" {
		return nil, cli.Usage(errors.New("--key is missing: the file with the release key, which comes with the image"))
	}
	text, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, fmt.Errorf("reading the release key: %w", err)
	}
	key, err := note.NewVerifier(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("reading the release key: %w", err)
	}
	statement, err := os.ReadFile(filepath.Join(folder, register.UpdateFiles[0]))
	if err != nil {
		return nil, fmt.Errorf("reading the bundle: %w", err)
	}
	r, err := release.Open(statement, key)
	if err == nil && r.Kind != release.Bundle {
		err = errors.New("it is an image for a card, not an update")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the bundle: %w", err)
	}
	for _, name := range register.UpdateFiles[1:] {
		f, err := r.File(name)
		if err == nil {
			err = f.Verify(filepath.Join(folder, name), nil)
		}
		if err != nil {
			return nil, err
		}
	}
	return r, nil
}

func updateStageCommand(s *settings) *cobra.Command {
	var site string
	var all bool
	c := &cobra.Command{
		Use:   "stage VERSION [--site SITE [TERMINAL...] | --all]",
		Short: "Have one terminal, a school's, or all terminals take a version",
		Example: `  tillprint-hub update stage v1.2.0 --site oakfield till-1
  tillprint-hub update stage v1.2.0 --site oakfield
  tillprint-hub update stage v1.2.0 --all`,
		Args: cli.Args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if (site == "") != all || all && len(args) > 1 {
				return cli.Usage(errors.New("name a --site, with or without terminals, or say --all"))
			}
			return s.with(c.Context(), func(h *hub.Hub) error {
				b, err := bundleNamed(c, h, args[0])
				if err != nil {
					return err
				}
				n, err := h.Stage(c.Context(), administrator, b.Sequence, site, args[1:]...)
				if err == nil {
					fmt.Fprintf(c.OutOrStdout(), "version %s is staged for %d terminals\n", b.Version, n)
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&site, "site", "", "the school")
	c.Flags().BoolVar(&all, "all", false, "every terminal of every school of this hub")
	return c
}

func bundleNamed(c *cobra.Command, h *hub.Hub, version string) (hub.Bundle, error) {
	all, err := h.Bundles(c.Context())
	if err != nil {
		return hub.Bundle{}, err
	}
	for _, b := range all {
		if b.Version == version {
			return b, nil
		}
	}
	return hub.Bundle{}, fmt.Errorf("there is no version %.64q here: 'tillprint-hub update add' brings one", version)
}

func updateStatusCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say how far each terminal is",
		Args:  cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			return s.with(c.Context(), func(h *hub.Hub) error {
				all, err := h.Rollouts(c.Context(), "")
				if err != nil {
					return err
				}
				for _, o := range all {
					fmt.Fprintf(c.OutOrStdout(), "%s %s/%s wave %d: %s, %s, staged %s: %s\n", o.Version, o.Site, o.Terminal, o.Wave, o.State, o.Changed.Format(time.RFC3339), o.Staged.Format(time.DateOnly), o.Words)
				}
				return nil
			})
		},
	}
}

func updateStopCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "stop VERSION",
		Short: "Keep terminals that have not begun to take a version from beginning",
		Args:  cli.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return s.with(c.Context(), func(h *hub.Hub) error {
				b, err := bundleNamed(c, h, args[0])
				if err != nil {
					return err
				}
				return h.StopRollout(c.Context(), administrator, b.Sequence, "")
			})
		},
	}
}
