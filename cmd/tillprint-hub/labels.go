package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/deploy/flash"
	"github.com/tillprint/tillprint/sync/hub"
	"github.com/tillprint/tillprint/sync/register"
)

func labelsCommand(s *settings) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "labels SITE [TERMINAL...] -o FOLDER",
		Short: "Print labels of terminals that have joined, with the fingerprints of their keys",
		Long: `Print labels of terminals that have joined (PNG, 62 mm tape): name and fingerprint of the terminal's own key, which
'tillprint doctor' shows at the terminal. Nothing on them is secret. They take the place of those that were printed with the cards.`,
		Args: cli.Args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if out == "" {
				return cli.Usage(errors.New("-o is missing: name the folder for the labels"))
			}
			return s.with(c.Context(), func(h *hub.Hub) error {
				all, err := h.Terminals(c.Context(), args[0])
				if err != nil {
					return err
				}
				for _, t := range all {
					if t.Removed || len(args) > 1 && !slices.Contains(args[1:], t.Terminal) {
						continue
					}
					label := flash.Label{Site: args[0], Name: t.Terminal, What: "key", Fingerprint: register.KeyFingerprint(t.Key)}
					if err := writeLabel(filepath.Join(out, t.Terminal+".png"), label); err != nil {
						return err
					}
					fmt.Fprintf(c.OutOrStdout(), "%s %s\n", t.Terminal, label.Fingerprint)
				}
				return nil
			})
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "", "folder for the labels")
	return c
}

func writeLabel(path string, label flash.Label) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("making the folder for labels: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("writing a label: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return label.WritePNG(file)
}
