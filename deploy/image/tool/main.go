// Command tool finishes what the image's build script has put together: it packs and signs releases and lists what is
// in them.
package main

import (
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/tillprint/tillprint/deploy/release"
)

const usage = `usage: tool new-key FILE            make a release key: the secret into FILE, the public one into FILE.pub
       tool sbom VERSION PACKAGES MODULE BINARY
                                    print a CycloneDX list of a root's packages, our kernel module, and a binary's modules
       tool sign FLAGS FILE...      pack FILEs (NAME.zst beside each) and sign what was packed, into --out`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "tool:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "new-key":
		return newKey(args[1])
	case len(args) == 5 && args[0] == "sbom":
		return sbom(os.Stdout, args[1], args[2], args[3], args[4])
	case len(args) > 1 && args[0] == "sign":
		return sign(args[1:])
	}
	return errors.New(usage)
}

// newKey never replaces a key: terminals take updates of that key only.
func newKey(path string) error {
	secret, public, err := note.GenerateKey(rand.Reader, "tillprint-release")
	if err != nil {
		return fmt.Errorf("making a release key: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("making a release key: %w", err)
	}
	if _, err = fmt.Fprintln(file, secret); err != nil {
		return errors.Join(err, file.Close())
	}
	return errors.Join(file.Sync(), file.Close(), os.WriteFile(path+".pub", []byte(public+"\n"), 0o644))
}

func sign(args []string) error {
	r := release.Release{}
	flags := flag.NewFlagSet("sign", flag.ContinueOnError)
	kind := flags.String("kind", string(release.Image), "image or bundle")
	key := flags.String("key", "", "file with the secret release key")
	out := flags.String("out", "", "the statement to write")
	flags.StringVar(&r.Version, "version", "", "the version")
	flags.Uint64Var(&r.Sequence, "sequence", 0, "its place in the order of versions")
	flags.BoolVar(&r.Downgrade, "downgrade", false, "let terminals go back to it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	r.Kind = release.Kind(*kind)
	secret, err := os.ReadFile(*key)
	if err != nil {
		return fmt.Errorf("reading the release key: %w", err)
	}
	signer, err := note.NewSigner(strings.TrimSpace(string(secret)))
	if err != nil {
		return fmt.Errorf("reading the release key: %w", err)
	}
	for _, path := range flags.Args() {
		f, err := pack(path)
		if err != nil {
			return err
		}
		r.Files = append(r.Files, f)
	}
	statement, err := r.Sign(signer)
	if err != nil {
		return err
	}
	return os.WriteFile(*out, statement, 0o644)
}

func pack(path string) (release.File, error) {
	in, err := os.Open(path)
	if err != nil {
		return release.File{}, err
	}
	defer in.Close()
	return release.Pack(path+".zst", filepath.Base(path)+".zst", in)
}
