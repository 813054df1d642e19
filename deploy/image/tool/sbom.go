package main

import (
	"bufio"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// component is one of CycloneDX 1.5.
type component struct {
	Type     string    `json:"type"`
	Name     string    `json:"name"`
	Version  string    `json:"version"`
	PURL     string    `json:"purl"`
	Licenses []license `json:"licenses,omitempty"` // where no package says it
}

type license struct {
	License struct {
		ID string `json:"id"`
	} `json:"license"`
}

// sbom writes a CycloneDX document of the image of a version: the packages listed in a file, "NAME VERSION ARCHITECTURE" a
// line, our kernel module, which is in none of them, and the modules that the Go binary says it was built from.
func sbom(w io.Writer, version, packages, module, binary string) error {
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
		all = append(all, component{Type: "library", Name: f[0], Version: f[1], PURL: purl})
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("listing packages: %w", err)
	}
	driver, err := driver(version, module)
	if err != nil {
		return err
	}
	all = append(all, driver)
	built, err := buildinfo.ReadFile(binary)
	if err != nil {
		return fmt.Errorf("reading what %s was built from: %w", binary, err)
	}
	all = append(all, component{Type: "library", Name: "stdlib", Version: built.GoVersion, PURL: "pkg:golang/stdlib@" + strings.TrimPrefix(built.GoVersion, "go")})
	for _, m := range built.Deps {
		all = append(all, component{Type: "library", Name: m.Path, Version: m.Version, PURL: "pkg:golang/" + m.Path + "@" + m.Version})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	of := map[string]any{"component": component{Type: "firmware", Name: "tillprint", Version: version, PURL: "pkg:generic/tillprint@" + url.PathEscape(version)}}
	return e.Encode(map[string]any{"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "metadata": of, "components": all})
}

// driver is a kernel module of ours, of the image's own version.
func driver(version, path string) (component, error) {
	if _, err := os.Stat(path); err != nil {
		return component{}, fmt.Errorf("listing the kernel module: %w", err)
	}
	name := strings.TrimSuffix(filepath.Base(path), ".ko")
	c := component{Type: "device-driver", Name: name, Version: version, PURL: "pkg:generic/" + name + "@" + url.PathEscape(version), Licenses: make([]license, 1)}
	c.Licenses[0].License.ID = "GPL-2.0-only"
	return c, nil
}
