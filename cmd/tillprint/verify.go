package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/disposal"
)

// maxReceipt bounds a receipt file, in bytes; a real one has a few thousand.
const maxReceipt = 1 << 20

func verifyCommand() *cobra.Command {
	var key, hub string
	c := &cobra.Command{
		Use:   "verify RECEIPT --key KEY",
		Short: "Check a wipe receipt, a decommissioning certificate or a log's history offline",
		Long: `Check a wipe receipt offline: its readable lines, the audit record behind them, the proof
that the terminal's log holds that record, and the terminal's signature; or the certificate of a
terminal that was decommissioned. KEY is the terminal's verifier key (name+hash+base64), or a file
that holds it; the hub's office pages show it.
A history of a terminal's log, from the office's interface, is checked with the hub's key as well: both
heads are signed by the terminal and countersigned by the hub, and the later log holds all of the earlier.
The exit code is 0 if all of it holds and 1 if not.`,
		Example: "  tillprint verify receipt.txt --key terminal-a.key\n  tillprint verify history.txt --key terminal-a.key --hub-key hub.key",
		Args:    cli.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if key == "" {
				return cli.Usage(errors.New("the terminal's verifier key is missing; give it with --key"))
			}
			text, err := readSmall(args[0])
			if err != nil {
				return fmt.Errorf("reading the receipt: %w", err)
			}
			verifier, err := verifierKey(key)
			if err != nil {
				return err
			}
			switch {
			case disposal.Is(text):
				return verifyCertificate(c.OutOrStdout(), args[0], text, verifier)
			case strings.HasPrefix(text, audit.HistoryTitle):
				return verifyHistory(c.OutOrStdout(), args[0], text, verifier, hub)
			}
			r, err := audit.VerifyReceipt(text, verifier)
			if err != nil {
				return fmt.Errorf("%s does not verify: %w", args[0], err)
			}
			fmt.Fprintf(c.OutOrStdout(), "verified: terminal %s of site %s wiped %d templates of %s at %s (%s)\n",
				r.Terminal, r.Site, r.Event.Count, r.Subject, r.Event.At.Format("2006-01-02 15:04:05 MST"), strings.Join(r.Event.Places, ", "))
			return nil
		},
	}
	c.Flags().StringVar(&key, "key", "", "the terminal's verifier key, or a file that holds it")
	c.Flags().StringVar(&hub, "hub-key", "", "the hub's verifier key, or a file that holds it; only for a history")
	return c
}

func verifyCertificate(w io.Writer, path, text, verifier string) error {
	lines, err := disposal.Verify(text, verifier)
	if err != nil {
		return fmt.Errorf("%s does not verify: %w", path, err)
	}
	fmt.Fprintf(w, "verified: terminal %s of site %s was decommissioned at %s; keys %s; sensor: %s\n",
		lines["Terminal"], lines["Site"], lines["Time"], lines["Keys"], lines["Sensor"])
	return nil
}

// verifyHistory checks that a log has only grown between two countersigned heads.
func verifyHistory(w io.Writer, path, text, key, hub string) error {
	if hub == "" {
		return cli.Usage(errors.New("a history needs the hub's verifier key too; give it with --hub-key"))
	}
	witness, err := verifierKey(hub)
	if err != nil {
		return err
	}
	earlier, later, err := audit.VerifyHistory(text, key, witness)
	if err != nil {
		return fmt.Errorf("%s does not verify: %w", path, err)
	}
	fmt.Fprintf(w, "verified: the log has grown from %d to %d records and holds all that it held; the hub has countersigned both, at %s and %s\n",
		earlier.Size, later.Size, earlier.Seen.Format(time.RFC3339), later.Seen.Format(time.RFC3339))
	return nil
}

// verifierKey takes a key as it is, or from the file of that name.
func verifierKey(key string) (string, error) {
	text, err := readSmall(key)
	if errors.Is(err, fs.ErrNotExist) && strings.Count(key, "+") >= 2 {
		return key, nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the verifier key: %w; give the key itself or a file that holds it", err)
	}
	return strings.TrimSpace(text), nil
}

// readSmall reads a text file of at most maxReceipt bytes.
func readSmall(path string) (string, error) {
	text, err := readBounded(path, maxReceipt)
	return string(text), err
}

func readBounded(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s is larger than %d bytes; it is not what belongs here", path, most)
	}
	return text, err
}
