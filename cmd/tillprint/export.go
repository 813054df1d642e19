package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/cmd/internal/terminald"
	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/export"
)

func exportCommand() *cobra.Command {
	var subject, out string
	c := &cobra.Command{
		Use:   "export --subject ID -o FILE",
		Short: "Answer a person who asks what is held about them",
		Long: `Answer a person who asks what is held about them.

One person of the office enters the request on the subject's page at the hub: who asks, how the identity
was checked, and the age key of whoever shall be able to open the answer. A second one confirms it. The
hub's page then gives one file with the parts of the hub and of every terminal that could be reached.

With --subject this command writes the part of the terminal of this machine, at once and without the hub, once
such a request has been confirmed. 'export open' opens either file.`,
		Example: "  tillprint export --subject p_abcdefghijklmnopqrstuvwxyz -o till-1.age\n  tillprint export open answer.zip --identity key.txt -o answer",
		Args:    cli.Args(cobra.NoArgs),
	}
	path := cli.ConfigFlag(c, terminald.ConfigPath)
	c.Flags().StringVar(&subject, "subject", "", "the subject's pseudonym, as the office's page shows it")
	c.Flags().StringVarP(&out, "output", "o", "", "the file to write; it must not be there yet")
	c.RunE = func(c *cobra.Command, _ []string) error {
		id, err := consent.ParseSubjectID(subject)
		if err != nil || out == "" {
			return cli.Usage(errors.New("give the subject's pseudonym with --subject and the file to write with -o"))
		}
		config, err := terminald.LoadForCommand(*path)
		if err != nil {
			return err
		}
		sealed, err := terminald.Export(c.Context(), config, id)
		if err != nil {
			return fmt.Errorf("exporting: %w", err)
		}
		return writeNew(out, sealed)
	}
	c.AddCommand(exportOpenCommand(), exportSchemaCommand())
	return c
}

func exportSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON schema of record.json",
		Args:  cli.Args(cobra.NoArgs),
		Run:   func(c *cobra.Command, _ []string) { fmt.Fprint(c.OutOrStdout(), export.Schema) },
	}
}

func exportOpenCommand() *cobra.Command {
	var identity, out string
	c := &cobra.Command{
		Use:     "open FILE --identity KEY-FILE -o FOLDER",
		Short:   "Open an export with the key that it was sealed to",
		Long:    "Open an export with the age identity that it was sealed to: each part into a folder of its own. Begin with record.html there.",
		Example: "  tillprint export open answer.zip --identity key.txt -o answer",
		Args:    cli.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			if identity == "" || out == "" {
				return cli.Usage(errors.New("give the key with --identity and the folder to make with -o"))
			}
			key, err := readSmall(identity)
			if err != nil {
				return fmt.Errorf("reading the key: %w", err)
			}
			sealed, err := readBounded(args[0], export.MaxSealed)
			if err != nil {
				return fmt.Errorf("reading the export: %w", err)
			}
			parts, err := export.Unbundle(sealed)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			for _, p := range parts {
				if err := openPart(c.OutOrStdout(), p, key, out); err != nil {
					return fmt.Errorf("%s, part %s: %w", args[0], p.Name, err)
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&identity, "identity", "", "the file with the age identity, as age-keygen made it")
	c.Flags().StringVarP(&out, "output", "o", "", "the folder to make")
	return c
}

// openPart writes the files of one part into a folder with the part's name, readable by their owner only.
func openPart(say io.Writer, part export.File, key, out string) error {
	r, files, err := export.Open(part.Data, key)
	if err != nil {
		return err
	}
	dir := filepath.Join(out, strings.TrimSuffix(part.Name, ".age"))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, f := range files {
		err := writeNew(filepath.Join(dir, f.Name), f.Data)
		clear(f.Data)
		if err != nil {
			return err
		}
	}
	fmt.Fprintf(say, "%s: what %s holds about %s, with %d templates\n", filepath.Join(dir, "record.html"), r.Holder, r.Subject, len(r.Templates))
	return nil
}

// writeNew writes a file that must not be there yet, for its owner only.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}
