package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/cmd/internal/terminald"
)

func decommissionCommand(s *settings) *cobra.Command {
	var terminal, out string
	c := &cobra.Command{
		Use:   "decommission --terminal NAME -o FILE",
		Short: "End this terminal for good, with a signed certificate",
		Long: `End this terminal for good, before it is sold, sent for repair or thrown away. Stop the daemon first, and let what waits
for the hub be sent ('tillprint doctor' counts it).

The keys are destroyed first, then every file of the store is overwritten and removed, the sensor's own memory is
counted, and a certificate of it is signed, which 'tillprint verify' checks with the key that the hub's office pages
show. Nothing brings the data back. The hub is told, and removes the terminal; where it cannot be reached, bring it
the certificate. Memory cards do not overwrite reliably: the certificate has lines for who has destroyed card and
module.`,
		Example: "  tillprintd decommission --terminal till-1 -o till-1-certificate.txt",
		Args:    cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if terminal == "" || out == "" {
				return cli.Usage(errors.New("name this terminal with --terminal, as a confirmation, and the certificate's file with -o"))
			}
			// Not as the store's owner, who could not write the certificate where a technician stands: nothing of the store stays.
			config, err := terminald.Load(*s.path)
			if err != nil {
				return cli.Usage(err)
			}
			// The file comes first: without a place for it there shall be no certificate that nobody keeps.
			f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return fmt.Errorf("making the certificate's file: %w; nothing was done", err)
			}
			ended, err := terminald.Decommission(c.Context(), config, terminal)
			if err != nil {
				return errors.Join(err, f.Close(), os.Remove(out))
			}
			fmt.Fprint(c.OutOrStdout(), ended.Certificate)
			fmt.Fprintf(c.OutOrStdout(), "\nIts verifier key, also on the hub's page of terminals:\n%s\n", ended.Verifier)
			if ended.Untold == nil {
				fmt.Fprintln(c.OutOrStdout(), "\nThe hub has the certificate and has removed this terminal.")
			} else {
				fmt.Fprintf(c.OutOrStdout(), "\nThe hub does not know yet: %v\nBring it the certificate: tillprint-hub decommissioned SITE --certificate FILE, or its page of terminals.\n", ended.Untold)
			}
			_, err = f.WriteString(ended.Certificate)
			return errors.Join(err, f.Sync(), f.Close())
		},
	}
	c.Flags().StringVar(&terminal, "terminal", "", "the name of this terminal")
	c.Flags().StringVarP(&out, "output", "o", "", "the certificate's file; it must not be there yet")
	return c
}
