package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb" // registers the packager
	"github.com/goreleaser/nfpm/v2/files"
)

// maintainer stands in every package.
const maintainer = "Tillprint developers <tillprint@users.noreply.github.com>"

// goArch is how Go calls Debian's architectures. armhf is built for ARMv6, so
// that one package serves a Pi Zero as well as a 32-bit system on a Pi 4.
var goArch = map[string][]string{
	"amd64": {"GOARCH=amd64", "GOAMD64=v1"},
	"arm64": {"GOARCH=arm64", "GOARM64=v8.0"},
	"armhf": {"GOARCH=arm", "GOARM=6"},
}

type builder struct {
	release
	root string // of the repository
	work string // folder for what is built on the way
}

// build makes one package and returns the name of its file in out.
func (b builder) build(p pkg, arch, out string) (string, error) {
	if goArch[arch] == nil {
		return "", fmt.Errorf("there is no architecture %q", arch)
	}
	info, err := b.info(p, arch)
	if err != nil {
		return "", err
	}
	deb, err := nfpm.Get("deb")
	if err != nil {
		return "", err
	}
	name := filepath.Join(out, deb.ConventionalFileName(info))
	var packed bytes.Buffer
	if err := deb.Package(info, &packed); err != nil {
		return "", err
	}
	return name, os.WriteFile(name, packed.Bytes(), 0o644)
}

func (b builder) info(p pkg, arch string) (*nfpm.Info, error) {
	info := &nfpm.Info{
		Name: p.name, Arch: arch, Platform: "linux", Version: b.version, VersionSchema: "none", Section: "misc", Maintainer: maintainer,
		Description: p.description, Homepage: "https://github.com/tillprint/tillprint", License: "Apache-2.0", MTime: b.at,
		DisableGlobbing: true,
	}
	info.Depends, info.Recommends = p.depends, p.recommends
	for _, c := range p.commands {
		binary, err := b.compile(c, arch)
		if err != nil {
			return nil, err
		}
		info.Contents = append(info.Contents, b.content(binary, "/usr/bin/"+c, files.TypeFile, 0o755))
	}
	for _, f := range p.files {
		kind := files.TypeFile
		if f.config {
			kind = files.TypeConfig
		}
		info.Contents = append(info.Contents, b.content(b.source(p, f.source), f.target, kind, 0o644))
	}
	if p.unit != "" {
		info.Scripts = nfpm.Scripts{
			PostInstall: b.source(p, "postinst"), PreRemove: b.source(p, "prerm"), PostRemove: b.source(p, "postrm"),
		}
	}
	documents, err := b.documents(p, arch)
	info.Contents = append(info.Contents, documents...)
	return info, err
}

func (b builder) source(p pkg, name string) string {
	return filepath.Join(b.root, "deploy/deb", p.folder, name)
}

// content is one file of a package. The mode is stated, since that of the file
// depends on who checked the repository out.
func (b builder) content(source, target, kind string, mode os.FileMode) *files.Content {
	return &files.Content{Source: source, Destination: target, Type: kind,
		FileInfo: &files.ContentFileInfo{Owner: "root", Group: "root", Mode: mode, MTime: b.at}}
}

// compile builds a command for a Debian architecture.
func (b builder) compile(command, arch string) (string, error) {
	out := filepath.Join(b.work, arch, "bin", command)
	c := exec.Command("go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags=-s -w -X github.com/tillprint/tillprint/cmd/internal/cli.version="+b.version, "-o", out, "./cmd/"+command)
	c.Dir, c.Stderr = b.root, os.Stderr
	c.Env = append(os.Environ(), append(goArch[arch], "CGO_ENABLED=0", "GOOS=linux", "GOFLAGS=", "GOWORK=off")...)
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("go build ./cmd/%s: %w", command, err)
	}
	return out, nil
}

// here is what a command, built for this machine, prints about itself.
func (b builder) here(command string, args ...string) ([]byte, error) {
	binary, err := b.compile(command, runtimeArch())
	if err != nil {
		return nil, err
	}
	out, err := exec.Command(binary, args...).Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", command, args[0], err)
	}
	return out, nil
}

func runtimeArch() string {
	if runtime.GOARCH == "arm" {
		return "armhf"
	}
	return runtime.GOARCH
}
