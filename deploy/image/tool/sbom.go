package main

import (
	"bufio"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
)

// component is one of CycloneDX 1.5.
type component struct {
	Type    string `json:"type"`
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl"`
}

// sbom writes a CycloneDX document of the packages listed in a file, "NAME VERSION ARCHITECTURE" a line, and of the
// modules that the Go binary says it was built from.
func sbom(w io.Writer, packages, binary string) error {
	var all []component
	file, err := os.Open(packages)
	if err != nil {
		return fmt.Errorf("listing packages: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) != 3 {
			return fmt.Errorf("listing packages: the line %q", lines.Text())
		}
		purl := "pkg:deb/debian/" + f[0] + "@" + url.PathEscape(f[1]) + "?arch=" + f[2]
		all = append(all, component{"library", f[0], f[1], purl})
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("listing packages: %w", err)
	}
	built, err := buildinfo.ReadFile(binary)
	if err != nil {
		return fmt.Errorf("reading what %s was built from: %w", binary, err)
	}
	all = append(all, component{"library", "stdlib", built.GoVersion, "pkg:golang/stdlib@" + strings.TrimPrefix(built.GoVersion, "go")})
	for _, m := range built.Deps {
		all = append(all, component{"library", m.Path, m.Version, "pkg:golang/" + m.Path + "@" + m.Version})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(map[string]any{"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": all})
}
