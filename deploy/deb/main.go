// Command deb builds the Debian packages of Tillprint for Raspberry Pi OS and
// Debian: tillprint-terminal, tillprint-hub and tillprint, the hand tool.
//
// The same commit gives the same bytes, whoever builds it and where: the
// version and every date come from the commit, paths are trimmed from the
// binaries, and nothing of the building machine goes in.
//
//	go run -C deploy/deb . -out ../../dist -arch arm64,armhf,amd64
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	root := flag.String("root", "../..", "the repository")
	out := flag.String("out", "../../dist", "where the packages go")
	archs := flag.String("arch", "arm64,armhf,amd64", "Debian architectures, with commas between them")
	only := flag.String("package", "", "the one package to build; all of them when empty")
	version := flag.String("version", "", "version of the packages; that of the commit when empty")
	flag.Parse()
	names, err := run(*root, *out, *version, *only, strings.Split(*archs, ","))
	for _, name := range names {
		fmt.Println(name)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "deb:", err)
		os.Exit(1)
	}
}

// run builds every package, or only one, for every architecture and returns
// the names of the files that it has written.
func run(root, out, version, only string, archs []string) (names []string, err error) {
	if root, err = filepath.Abs(root); err != nil {
		return nil, err
	}
	r, err := releaseOf(root, version)
	if err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp("", "tillprint-deb-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, err
	}
	wanted := slices.DeleteFunc(slices.Clone(packages), func(p pkg) bool { return only != "" && p.name != only })
	if len(wanted) == 0 {
		return nil, fmt.Errorf("there is no package %q", only)
	}
	b := builder{release: r, root: root, work: work}
	for _, arch := range archs {
		for _, p := range wanted {
			name, err := b.build(p, arch, out)
			if err != nil {
				return names, fmt.Errorf("building %s for %s: %w", p.name, arch, err)
			}
			names = append(names, name)
		}
	}
	return names, nil
}
