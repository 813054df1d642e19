package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/hub"
	"github.com/tillprint/tillprint/sync/register"
)

func commissionCommand(s *settings) *cobra.Command {
	var mode string
	var refs []string
	c := &cobra.Command{
		Use:   "commission SITE TERMINAL... --mode MODE",
		Short: "Take a terminal a step on: from off to PINs, from PINs to fingers",
		Long: `Take a terminal a step on, or back. A terminal that has joined is off: it takes cash only. Each step wants on
record what it rests on (N1), as --ref 'WHAT=TITLE OR NUMBER; DATE; OFFICE THAT APPROVED IT':

` + needs() + `
The text for parents-notice is the version of the notice, one of those that count in the school's profile. What an
earlier step has put on record need not be given again. A step back from fingers wipes the terminal's templates.`,
		Example: `  tillprint-hub commission oakfield till-1 --mode pin --ref 'basis=RoPA 14; 2026-09-01; data protection officer' \
    --ref 'policy=Biometric policy 3; 2026-09-01; governors' --ref 'privacy-notice=Pupil notice 5; 2026-09-01; office'
  tillprint-hub commission oakfield till-1 --mode off`,
		Args: cli.Args(cobra.MinimumNArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			step := register.Commission{Mode: register.Mode(mode)}
			if mode == "" {
				return cli.Usage(errors.New("--mode is missing: off, pin or fingers"))
			}
			for _, text := range refs {
				r, err := parseReference(text)
				if err != nil {
					return cli.Usage(err)
				}
				step.References = append(step.References, r)
			}
			return s.with(c.Context(), func(h *hub.Hub) error {
				for _, name := range args[1:] {
					if err := h.Commission(c.Context(), args[0], administrator, name, step); err != nil {
						return err
					}
					fmt.Fprintf(c.OutOrStdout(), "%s is commissioned: %s\n", name, mode)
				}
				return nil
			})
		},
	}
	c.Flags().StringVar(&mode, "mode", "", "off, pin or fingers")
	c.Flags().StringArrayVar(&refs, "ref", nil, "what is on record, once for each")
	return c
}

// needs lists what each step wants.
func needs() string {
	var b strings.Builder
	before := 0
	for _, m := range register.Modes[1:] {
		all := m.Needs()
		fmt.Fprintf(&b, "  %-8s", m)
		for _, need := range all[before:] {
			fmt.Fprintf(&b, " %s", need)
		}
		before = len(all)
		b.WriteByte('\n')
	}
	return b.String()
}

func parseReference(text string) (r register.Reference, err error) {
	what, rest, ok := strings.Cut(text, "=")
	parts := strings.Split(rest, ";")
	if !ok || len(parts) != 3 {
		return r, fmt.Errorf("--ref %.80q: write it as 'dpia=DPIA 7; 2026-09-01; governors'", text)
	}
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	r = register.Reference{For: register.Evidence(strings.TrimSpace(what)), Text: parts[0], By: parts[2]}
	if r.On, err = consent.ParseDate(parts[1]); err != nil {
		return r, fmt.Errorf("--ref %.80q: %w", text, err)
	}
	return r, nil
}
