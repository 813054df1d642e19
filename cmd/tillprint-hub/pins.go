package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/hub"
)

// whom says whose PINs are drawn: exactly one of its fields is set.
type whom struct {
	form      string
	subjects  []string
	missing   bool
	everybody bool
	outdated  bool
}

func (w *whom) check() error {
	chosen := 0
	for _, is := range []bool{w.form != "", len(w.subjects) > 0, w.missing, w.everybody, w.outdated} {
		if is {
			chosen++
		}
	}
	if chosen != 1 {
		return errors.New("say whose PINs: one of --form, --subject, --missing, --outdated and --all")
	}
	return nil
}

// among picks from all people of a school, of whom some have an outdated PIN.
func (w *whom) among(people []hub.Listed, fit hub.PINFit) (ids []consent.SubjectID) {
	if w.outdated {
		return fit.Outdated()
	}
	for _, p := range people {
		if w.everybody || w.missing && !p.PIN || w.form != "" && p.Form == w.form {
			ids = append(ids, p.Subject)
		}
	}
	for _, id := range w.subjects {
		ids = append(ids, consent.SubjectID(id))
	}
	return ids
}

func pinsCommand(s *settings) *cobra.Command {
	var w whom
	var asCSV, check bool
	c := &cobra.Command{
		Use:   "pins SITE",
		Short: "Draw new PINs for a set of people, to be printed",
		Long: `Draw new PINs for a set of people, to be printed. Their older PINs end at once.

The digits are written to standard output this once and are kept nowhere; they can be drawn anew, never looked up.

A PIN keeps the strength with which it was drawn: what the site's slowest terminal could check within 300 to 500 ms then. --check says how many
are too weak or too slow for the terminals of now, and --outdated draws these anew.`,
		Example: "  tillprint-hub pins oakfield --form 7B | lp\n  tillprint-hub pins oakfield --missing --csv\n  tillprint-hub pins oakfield --check",
		Args:    cli.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if check {
				return s.with(c.Context(), func(h *hub.Hub) error { return checkPINs(c, h, args[0]) })
			}
			if err := w.check(); err != nil {
				return cli.Usage(err)
			}
			return s.with(c.Context(), func(h *hub.Hub) error {
				slips, err := w.draw(c.Context(), h, args[0])
				if err != nil {
					return err
				}
				return printSlips(c.OutOrStdout(), slips, asCSV)
			})
		},
	}
	c.Flags().StringVar(&w.form, "form", "", "everybody of this form")
	c.Flags().StringSliceVar(&w.subjects, "subject", nil, "these pseudonyms")
	c.Flags().BoolVar(&w.missing, "missing", false, "everybody who has no PIN yet")
	c.Flags().BoolVar(&w.outdated, "outdated", false, "everybody whose PIN is too weak or too slow for the terminals of now")
	c.Flags().BoolVar(&w.everybody, "all", false, "everybody")
	c.Flags().BoolVar(&check, "check", false, "draw none, and say how many are outdated")
	c.Flags().BoolVar(&asCSV, "csv", false, "write a table for a spreadsheet or a mail merge")
	return c
}

// draw gives those who are meant new PINs.
func (w *whom) draw(ctx context.Context, h *hub.Hub, site string) ([]hub.PINSlip, error) {
	people, err := h.List(ctx, site, "", hub.MaxSubjects)
	if err != nil {
		return nil, err
	}
	fit, err := h.PINFit(ctx, site)
	if err != nil {
		return nil, err
	}
	ids := w.among(people, fit)
	if len(ids) == 0 {
		return nil, errors.New("nobody is meant by that; no PIN was drawn")
	}
	return h.PINSlips(ctx, site, administrator, ids)
}

func checkPINs(c *cobra.Command, h *hub.Hub, site string) error {
	fit, err := h.PINFit(c.Context(), site)
	if err == nil {
		_, err = fmt.Fprintln(c.OutOrStdout(), fit)
	}
	return err
}

func printSlips(w io.Writer, slips []hub.PINSlip, asCSV bool) error {
	if asCSV {
		out := csv.NewWriter(w)
		out.Write([]string{"form", "name", "pin"})
		for _, s := range slips {
			out.Write([]string{s.Form, s.Name, s.PIN})
		}
		out.Flush()
		return out.Error()
	}
	out := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, s := range slips {
		fmt.Fprintf(out, "%s\t%s\t%s\n", s.Form, s.Name, s.PIN)
	}
	return out.Flush()
}
