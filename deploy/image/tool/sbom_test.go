package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// The list names the image's version, Debian's packages, the kernel module with its licence, Go and its modules.
func TestSBOM(t *testing.T) {
	dir := t.TempDir()
	packages, module := filepath.Join(dir, "packages"), filepath.Join(dir, "tillprint_tryboot.ko")
	for path, text := range map[string]string{packages: "systemd 257.8-1~deb13u2 arm64\ntillprint-terminal 1.2.3+5.gabc arm64\n", module: "a module"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	own, err := os.Executable() // a Go binary with modules in it
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := sbom(&out, "v1.2.3", packages, module, own); err != nil {
		t.Fatal(err)
	}
	var list struct {
		Metadata   struct{ Component component }
		Components []component
	}
	if err := json.Unmarshal(out.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	if list.Metadata.Component.Version != "v1.2.3" {
		t.Errorf("it is of %+v", list.Metadata.Component)
	}
	found := map[string]component{}
	for _, c := range list.Components {
		found[c.Name] = c
	}
	for name, purl := range map[string]string{
		"systemd":           "pkg:deb/debian/systemd@257.8-1~deb13u2?arch=arm64",
		"tillprint_tryboot": "pkg:generic/tillprint_tryboot@v1.2.3",
	} {
		if found[name].PURL != purl {
			t.Errorf("%s: %+v", name, found[name])
		}
	}
	if l := found["tillprint_tryboot"].Licenses; len(l) != 1 || l[0].License.ID != "GPL-2.0-only" {
		t.Errorf("the kernel module's licence is %+v", l)
	}
	if found["stdlib"].Version == "" || found["golang.org/x/mod"].Version == "" {
		t.Error("Go, or a module of the program, is missing")
	}
	if sbom(&out, "v1.2.3", packages, filepath.Join(dir, "none.ko"), own) == nil {
		t.Error("a kernel module that is not there is listed")
	}
}
