package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manCommand is the hidden command that prints the manual page of the whole
// command, with all that stand below it: one page, since nobody looks for
// tillprintd-keyslot-migrate(8).
func manCommand() *cobra.Command {
	var section int
	var date string
	c := &cobra.Command{
		Use: "man", Short: "Print the manual page", Hidden: true, Args: Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if _, err := time.Parse(time.DateOnly, date); err != nil {
				return Usage(fmt.Errorf("--date: %w", err))
			}
			return writeMan(c.OutOrStdout(), c.Root(), section, date)
		},
	}
	c.Flags().IntVar(&section, "section", 1, "section of the manual")
	c.Flags().StringVar(&date, "date", "", "date of the page, as 2006-01-02")
	return c
}

func writeMan(w io.Writer, root *cobra.Command, section int, date string) error {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s %d %s \"Tillprint\" \"Tillprint\"\n", strings.ToUpper(root.Name()), section, date)
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(root.Name()), roff(root.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n.I COMMAND\n[flags]\n", roff(root.Name()))
	fmt.Fprintf(&b, ".SH DESCRIPTION\n%s\n", roff(root.Long))
	manFlags(&b, root.PersistentFlags())
	b.WriteString(".SH COMMANDS\n")
	manCommands(&b, root)
	fmt.Fprintf(&b, ".SH EXIT STATUS\n%d done; %d tried and failed; %d the command line or the configuration was not understood; "+
		"%d the terminal was wiped by its hub and must not be started again.\n", ExitOK, ExitFailed, ExitUsage, ExitFinal)
	_, err := io.WriteString(w, b.String())
	return err
}

func manCommands(b *strings.Builder, c *cobra.Command) {
	for _, sub := range c.Commands() {
		if !sub.IsAvailableCommand() || sub.Name() == "completion" || sub.Name() == "help" {
			continue
		}
		if sub.Runnable() && !sub.HasSubCommands() {
			long := sub.Long
			if long == "" {
				long = sub.Short + "."
			}
			fmt.Fprintf(b, ".SS %s\n%s\n", roff(sub.UseLine()), roff(long))
			manFlags(b, sub.LocalNonPersistentFlags())
			if sub.Example != "" {
				fmt.Fprintf(b, ".PP\n.nf\n%s\n.fi\n", roff(sub.Example))
			}
		}
		manCommands(b, sub)
	}
}

func manFlags(b *strings.Builder, flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		fmt.Fprintf(b, ".TP\n.B %s %s\n%s", roff(name), roff(value), roff(usage))
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" {
			fmt.Fprintf(b, " (%s)", roff(f.DefValue))
		}
		b.WriteString("\n")
	})
}

// roff is text as troff prints it literally: backslashes and hyphens mean
// themselves, no line begins a request, and an empty line is a new paragraph.
func roff(text string) string {
	lines := strings.Split(strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text), "\n")
	for i, line := range lines {
		switch {
		case line == "":
			lines[i] = ".PP"
		case line[0] == '.' || line[0] == '\'':
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
