package main

import (
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
}

func (w *whom) check() error {
	chosen := 0
	for _, is := range []bool{w.form != "", len(w.subjects) > 0, w.missing, w.everybody} {
		if is {
			chosen++
		}
	}
	if chosen != 1 {
		return errors.New("say whose PINs: one of --form, --subject, --missing and --all")
	}
	return nil
}

// among picks from all people of a school.
func (w *whom) among(people []hub.Listed) (ids []consent.SubjectID) {
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
	var asCSV bool
	c := &cobra.Command{
		Use:   "pins SITE",
		Short: "Draw new PINs for a set of people, to be printed",
		Long: `Draw new PINs for a set of people, to be printed. Their older PINs end at once.

The digits are written to standard output this once and are kept nowhere; they can be drawn anew, never looked up.`,
		Example: "  tillprint-hub pins oakfield --form 7B | lp\n  tillprint-hub pins oakfield --missing --csv",
		Args:    cli.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if err := w.check(); err != nil {
				return cli.Usage(err)
			}
			return s.with(c.Context(), func(h *hub.Hub) error {
				people, err := h.List(c.Context(), args[0], "", hub.MaxSubjects)
				if err != nil {
					return err
				}
				ids := w.among(people)
				if len(ids) == 0 {
					return errors.New("nobody is meant by that; no PIN was drawn")
				}
				slips, err := h.PINSlips(c.Context(), args[0], administrator, ids)
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
	c.Flags().BoolVar(&w.everybody, "all", false, "everybody")
	c.Flags().BoolVar(&asCSV, "csv", false, "write a table for a spreadsheet or a mail merge")
	return c
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
