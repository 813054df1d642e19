package main

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/sync/hub"
)

func authorityCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "authority SITE",
		Short: "Print the certificate by which a browser knows a school's terminals",
		Long: `Print the certificate by which a browser knows the pages of a school's terminals. Import it into the trust store of each till PC or
tablet, beside the file of 'till-browser'. It is good for private addresses and names only, and nothing in it is secret.`,
		Example: "  tillprint-hub authority oakfield > oakfield.crt",
		Args:    cli.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return s.with(c.Context(), func(h *hub.Hub) error {
				a, err := h.Authority(c.Context(), args[0])
				if err != nil {
					return err
				}
				return pem.Encode(c.OutOrStdout(), &pem.Block{Type: "CERTIFICATE", Bytes: a.Raw})
			})
		},
	}
}

func tillBrowserCommand(s *settings) *cobra.Command {
	var out string
	var technician, old bool
	c := &cobra.Command{
		Use:   "till-browser SITE NAME --out FILE.p12",
		Short: "Let the browser of a till PC or tablet work a school's terminals",
		Long: `Let the browser of a till PC or tablet work a school's terminals over the school's network until the school year ends. The file holds
the browser's key and certificate: import it there with the password that is printed, which is kept nowhere, then delete the
file. NAME stands in the audit log for whoever works that browser: name the machine, not a person.`,
		Example: "  tillprint-hub till-browser oakfield kitchen-pc --out kitchen-pc.p12",
		Args:    cli.Args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, args []string) error {
			if out == "" {
				return cli.Usage(errors.New("--out is missing: name the file for the browser's key and certificate"))
			}
			return s.with(c.Context(), func(h *hub.Hub) error {
				var in hub.Admission
				err := create(out, func() (content []byte, err error) {
					in, err = h.AdmitBrowser(c.Context(), args[0], administrator, args[1], technician, old)
					return in.File, err
				})
				if err != nil {
					return err
				}
				fmt.Fprintf(c.OutOrStdout(), "import %s on %s with this password, then delete the file: %s\nit is good until %s\n", out, args[1], in.Password, in.Ends.Format("2 January 2006"))
				return nil
			})
		},
	}
	c.Flags().StringVar(&out, "out", "", "the file to write; it must not exist")
	c.Flags().BoolVar(&technician, "technician", false, "let it use the technician's pages too")
	c.Flags().BoolVar(&old, "old-device", false, "write the file so that devices from before about 2021 can read it")
	return c
}

// create writes a file that only its owner can read. It is there before its content is made, so that nothing is made in vain.
func create(path string, content func() ([]byte, error)) (err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("making the file for the browser: %w", err)
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	text, err := content()
	if err != nil {
		return err
	}
	if _, err := file.Write(text); err != nil {
		return fmt.Errorf("writing the file for the browser: %w; revoke the browser and let it in again", err)
	}
	return nil
}

func tillBrowsersCommand(s *settings) *cobra.Command {
	var revoke string
	var asJSON bool
	c := &cobra.Command{
		Use:   "till-browsers SITE",
		Short: "List the browsers that may work a school's terminals, or revoke one",
		Long: `List the browsers that may work a school's terminals, or revoke one that was lost or is no longer used. Terminals learn of it within
a minute; one that cannot reach the hub learns of it when it does.`,
		Example: "  tillprint-hub till-browsers oakfield\n  tillprint-hub till-browsers oakfield --revoke kitchen-pc",
		Args:    cli.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return s.with(c.Context(), func(h *hub.Hub) error {
				if revoke != "" {
					return h.RevokeBrowser(c.Context(), args[0], administrator, revoke)
				}
				all, err := h.TillBrowsers(c.Context(), args[0])
				switch {
				case err != nil:
					return err
				case asJSON:
					return json.NewEncoder(c.OutOrStdout()).Encode(all)
				}
				return printBrowsers(c.OutOrStdout(), all)
			})
		},
	}
	c.Flags().StringVar(&revoke, "revoke", "", "let this browser in no more")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON array")
	return c
}

func printBrowsers(w io.Writer, all []hub.TillBrowser) error {
	out := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, b := range all {
		state := "until " + b.Ends.Format(time.DateOnly)
		if !b.Revoked.IsZero() {
			state = "revoked on " + b.Revoked.Format(time.DateOnly)
		}
		fmt.Fprintf(out, "%s\t%s\t%s\n", b.Name, b.Role, state)
	}
	return out.Flush()
}
