package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goreleaser/nfpm/v2/files"
)

// documents are what Debian Policy (chapter 12) asks of every package, and
// what people look for: changelog, copyright, the manual page, completion, and
// the commented configuration.
func (b builder) documents(p pkg, arch string) (files.Contents, error) {
	var all files.Contents
	add := func(target string, text []byte, err error) error {
		if err != nil {
			return err
		}
		source := filepath.Join(b.work, arch, p.name, filepath.Base(target))
		if err := os.MkdirAll(filepath.Dir(source), 0o755); err != nil {
			return err
		}
		all = append(all, b.content(source, target, files.TypeFile, 0o644))
		return os.WriteFile(source, text, 0o644)
	}
	doc := "/usr/share/doc/" + p.name + "/"
	modules, err := b.modules(p, arch)
	if err != nil {
		return nil, err
	}
	if err := add(doc+"changelog.gz", zip(b.changelog(p)), nil); err != nil {
		return nil, err
	}
	news, err := os.ReadFile(filepath.Join(b.root, "CHANGELOG.md"))
	if err := add(doc+"NEWS.md.gz", zip(news), err); err != nil {
		return nil, err
	}
	if err := add(doc+"copyright", b.copyright(modules), nil); err != nil {
		return nil, err
	}
	licences, err := licences(modules)
	if err := add(doc+"THIRD-PARTY.gz", zip(licences), err); err != nil {
		return nil, err
	}
	for _, c := range p.commands {
		page, err := b.here(c, "man", "--section", fmt.Sprint(p.section), "--date", b.at.Format(time.DateOnly))
		if err := add(fmt.Sprintf("/usr/share/man/man%d/%s.%d.gz", p.section, c, p.section), zip(page), err); err != nil {
			return nil, err
		}
		completion, err := b.here(c, "completion", "bash")
		if err := add("/usr/share/bash-completion/completions/"+c, completion, err); err != nil {
			return nil, err
		}
	}
	if p.unit != "" {
		example, err := b.here(p.commands[0], "config", "example")
		if err := add(doc+"examples/"+p.unit+".toml", example, err); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// changelog is Debian's, with one entry: what changed is told for people in
// NEWS.md, and commit by commit in the repository.
func (b builder) changelog(p pkg) []byte {
	return fmt.Appendf(nil, "%s (%s) stable; urgency=medium\n\n  * See NEWS.md.gz for what has changed.\n\n -- %s  %s\n",
		p.name, b.version, maintainer, b.at.Format(time.RFC1123Z))
}

// copyright is in the machine-readable form 1.0 of Debian's DEP 5.
func (b builder) copyright(modules []module) []byte {
	var t strings.Builder
	fmt.Fprintf(&t, `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Tillprint
Source: https://github.com/tillprint/tillprint
Comment: The programs are linked statically with these Go modules, whose notices and
 licences stand in THIRD-PARTY.gz beside this file:
`)
	for _, m := range modules {
		fmt.Fprintf(&t, " %s %s\n", m.path, m.version)
	}
	fmt.Fprintf(&t, `
Files: *
Copyright: %d the Tillprint developers
License: Apache-2.0

License: Apache-2.0
 On Debian systems the whole text of the Apache Licence 2.0 is in
 /usr/share/common-licenses/Apache-2.0.
`, b.at.Year())
	return []byte(t.String())
}

// zip packs as gzip -9n does: without name and time. It cannot fail, since it
// writes into memory at a level that exists.
func zip(text []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	_, _ = w.Write(text)
	_ = w.Close()
	return b.Bytes()
}
