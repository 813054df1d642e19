package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// module is a Go module that is linked into a command.
type module struct{ path, version, dir string }

// modules are those of all commands of p, the Go library first.
func (b builder) modules(p pkg, arch string) ([]module, error) {
	args := []string{"list", "-deps", "-f", "{{with .Module}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}"}
	for _, c := range p.commands {
		args = append(args, "./cmd/"+c)
	}
	c := exec.Command("go", args...)
	c.Dir = b.root
	c.Env = append(os.Environ(), append(goArch[arch], "CGO_ENABLED=0", "GOOS=linux", "GOWORK=off")...)
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(lines)
	library, err := goLibrary()
	all := []module{library}
	for _, line := range slices.Compact(lines) {
		field := strings.Split(line, "\t")
		if len(field) == 3 && field[1] != "" { // our own module has no version
			all = append(all, module{field[0], field[1], field[2]})
		}
	}
	return all, err
}

func goLibrary() (module, error) {
	out, err := exec.Command("go", "env", "GOVERSION", "GOROOT").Output()
	field := strings.Fields(string(out))
	if err != nil || len(field) != 2 {
		return module{}, fmt.Errorf("go env: %w", err)
	}
	return module{"std", field[0], field[1]}, nil
}

// licences are the texts that the modules' authors want passed on with them.
func licences(modules []module) ([]byte, error) {
	var all bytes.Buffer
	for _, m := range modules {
		found := 0
		entries, err := os.ReadDir(m.dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.IsDir() || !legal(e.Name()) {
				continue
			}
			text, err := os.ReadFile(filepath.Join(m.dir, e.Name()))
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(&all, "==== %s %s: %s\n\n%s\n", m.path, m.version, e.Name(), text)
			found++
		}
		if found == 0 {
			return nil, fmt.Errorf("the module %s has no licence that could be passed on", m.path)
		}
	}
	return all.Bytes(), nil
}

func legal(name string) bool {
	name = strings.ToUpper(name)
	return slices.ContainsFunc([]string{"LICENSE", "LICENCE", "COPYING", "NOTICE", "PATENTS"}, func(w string) bool { return strings.HasPrefix(name, w) })
}
