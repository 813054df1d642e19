package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/hub"
)

// administrator is the account under which changes made with this command
// stand in the hub's record.
const administrator = "command-line"

// with opens the hub of the configuration for one piece of work. It may be
// running meanwhile: the database is shared.
func (s *settings) with(ctx context.Context, work func(*hub.Hub) error) error {
	config, err := s.load()
	if err != nil {
		return err
	}
	h, err := hub.Open(ctx, config.Hub(config.Log.Logger(os.Stderr)))
	if err != nil {
		return err
	}
	defer h.Close()
	return work(h)
}

func initCommand(s *settings) *cobra.Command {
	var hosts []string
	c := &cobra.Command{
		Use:     "init --host NAME",
		Short:   "Make the keys of a new hub",
		Long:    "Make the keys of a new hub in its directory. Back that directory up: terminals know the hub by these keys.",
		Example: "  tillprint-hub init --host hub.oakfield.lan",
		Args:    cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := s.load()
			if err != nil {
				return err
			}
			if err := hub.Init(config.Dir, hosts, rand.Reader, time.Now()); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "the hub's keys are in %s; next: tillprint-hub site add\n", config.Dir)
			return nil
		},
	}
	c.Flags().StringSliceVar(&hosts, "host", []string{"localhost"}, "names and addresses by which browsers reach the hub")
	return c
}

func siteCommand(s *settings) *cobra.Command {
	c := &cobra.Command{Use: "site", Short: "Schools of this hub", Args: cli.Args(cobra.NoArgs)}
	site := hub.Site{Profile: consent.Profile{Purpose: consent.CanteenIdentification, Modality: consent.Finger}}
	add := &cobra.Command{
		Use:   "add ID --name NAME",
		Short: "Add a school; it begins without fingers",
		Long: `Add a school. It begins without biometrics: pupils are served by PIN, name and cash. The office
switches fingers on once notice, consent and impact assessment are on record.`,
		Example: `  tillprint-hub site add oakfield --name "Oakfield School" --contact dpo@oakfield.example`,
		Args:    cli.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			site.ID = args[0]
			return s.with(c.Context(), func(h *hub.Hub) error { return h.AddSite(c.Context(), site) })
		},
	}
	add.Flags().StringVar(&site.Name, "name", "", "the school's name")
	add.Flags().StringVar(&site.Contact, "contact", "", "whom to ask about data protection")
	add.Flags().StringVar(&site.Zone, "zone", "Europe/London", "the school's time zone")
	c.AddCommand(add)
	return c
}

func officerCommand(s *settings) *cobra.Command {
	c := &cobra.Command{Use: "officer", Short: "Accounts of the school office", Args: cli.Args(cobra.NoArgs)}
	c.AddCommand(
		&cobra.Command{
			Use:   "add SITE NAME",
			Short: "Add an account; the password is asked for, or read from standard input",
			Args:  cli.Args(cobra.ExactArgs(2)),
			RunE: func(c *cobra.Command, args []string) error {
				password, err := readPassword(c.InOrStdin(), c.ErrOrStderr())
				if err != nil {
					return err
				}
				return s.with(c.Context(), func(h *hub.Hub) error { return h.AddOfficer(c.Context(), args[0], args[1], password) })
			},
		},
		&cobra.Command{
			Use:   "token SITE NAME",
			Short: "Print a token with which a program may use the office's interface",
			Args:  cli.Args(cobra.ExactArgs(2)),
			RunE: func(c *cobra.Command, args []string) error {
				return s.with(c.Context(), func(h *hub.Hub) error {
					token, err := h.NewOfficeToken(c.Context(), args[0], args[1])
					if err == nil {
						fmt.Fprintln(c.OutOrStdout(), token)
					}
					return err
				})
			},
		},
	)
	return c
}

func joinCodeCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "join-code SITE TERMINAL...",
		Short: "Print the code with which a terminal joins, good for a day",
		Long: `Print the code with which a terminal joins. It is good once and for a day. For several terminals it
prints a line for each, its name and its code, as 'tillprint flash --batch' reads them.`,
		Example: `  tillprint-hub join-code oakfield till-1
  tillprint-hub join-code oakfield till-{1..6} > codes.txt`,
		Args: cli.Args(cobra.MinimumNArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			return s.with(c.Context(), func(h *hub.Hub) error {
				for _, name := range args[1:] {
					code, err := h.NewJoinCode(c.Context(), args[0], administrator, name)
					if err != nil {
						return err
					}
					if len(args) > 2 {
						code = name + " " + code
					}
					fmt.Fprintln(c.OutOrStdout(), code)
				}
				return nil
			})
		},
	}
}

func readmitCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "readmit SITE CODE",
		Short: "Let a terminal in again that has lost the key of its store",
		Long: `Let a terminal in again that has lost the key of its store. It takes cash only and shows CODE on its page:
read the code there, at the till, and take it from no message or call. The data protection officer is to be told.`,
		Example: "  tillprint-hub readmit oakfield 7K3QZ-9M2TA",
		Args:    cli.Args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			return s.with(c.Context(), func(h *hub.Hub) error {
				name, err := h.Readmit(c.Context(), args[0], administrator, args[1])
				if err == nil {
					fmt.Fprintf(c.OutOrStdout(), "the terminal is %s now and fills itself again\n", name)
				}
				return err
			})
		},
	}
}

// readPassword asks on a terminal, without showing what is typed, or takes one
// line from a pipe.
func readPassword(in io.Reader, prompt io.Writer) (string, error) {
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(prompt, "Password (at least 10 characters, letters and digits): ")
		password, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(prompt)
		return string(password), err
	}
	line, err := bufio.NewReader(io.LimitReader(in, 1<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}
