package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/deploy/flash"
	"github.com/tillprint/tillprint/deploy/joinfile"
	"github.com/tillprint/tillprint/sync/register"
)

// one writes a card that was named.
func (f *flasher) one(ctx context.Context, path string, image flash.Image, codes []register.JoinCode) error {
	if err := f.look(path); err != nil {
		return err
	}
	if err := f.confirm("everything on " + path + " is lost"); err != nil {
		return err
	}
	var code *register.JoinCode
	if len(codes) > 0 {
		code = &codes[0]
	}
	return f.write(ctx, path, image, code)
}

// look refuses what must not be written, and shows what will be lost.
func (f *flasher) look(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return cli.Usage(fmt.Errorf("looking at the disk: %w; 'tillprint flash' lists those that could be written", err))
	}
	if info.Mode().IsRegular() {
		fmt.Fprintf(f.out, "%s  %s  a file, written like a card\n", path, flash.Bytes(info.Size()))
		return nil
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("looking at the disk: %w", err)
	}
	disks, err := f.system.Disks()
	if err != nil {
		return err
	}
	for _, d := range disks {
		if d.Path != real {
			continue
		}
		if err := d.Refuse(); err != nil {
			return err
		}
		return f.describe(d)
	}
	return cli.Usage(fmt.Errorf("%s is no disk; give the whole disk, such as /dev/sdb, not a partition of it", path))
}

func (f *flasher) describe(d flash.Disk) error {
	fmt.Fprintf(f.out, "%s  %s  %s\n", d.Path, flash.Bytes(d.Size), cmp.Or(d.Model, "of unknown make"))
	parts := d.Parts
	if len(parts) == 0 {
		parts = []flash.Part{{Name: d.Name, Path: d.Path, Size: d.Size}}
	}
	for _, p := range parts {
		dev, err := os.Open(p.Path)
		if err != nil {
			return fmt.Errorf("looking at what is on the card: %w", err)
		}
		fmt.Fprintf(f.out, "  will be lost: %s  %s  %s\n", p.Name, flash.Bytes(p.Size), flash.Contents(dev))
		dev.Close()
	}
	return nil
}

// confirm asks for a typed yes.
func (f *flasher) confirm(what string) error {
	if f.yes {
		return nil
	}
	fmt.Fprintf(f.out, "%s: type yes to go on: ", what)
	answer, err := f.in.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if strings.TrimSpace(answer) != "yes" {
		return errors.New("nothing was written")
	}
	return nil
}

// write writes one card from beginning to end. code may be nil.
func (f *flasher) write(ctx context.Context, path string, image flash.Image, code *register.JoinCode) error {
	card, size, err := flash.Open(path)
	if err != nil {
		return err
	}
	defer card.Close()
	if size >= flash.Least {
		if err := flash.Probe(card, size); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	bar := f.progress(2*image.Size, "writing and reading back")
	if err := flash.Write(ctx, card, size, image, func(n int) { _ = bar.Add(n) }); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	_ = bar.Finish()
	if code == nil {
		fmt.Fprintf(f.out, "%s is written; it is nobody's yet: give it a join code, or put %s onto its first partition\n", path, joinfile.Name)
	} else if err := f.identify(card, path, *code); err != nil {
		return err
	}
	if err := flash.Eject(card); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	fmt.Fprintf(f.out, "%s may be taken out\n", path)
	return nil
}

func (f *flasher) identify(card *os.File, path string, code register.JoinCode) error {
	if err := flash.Identify(card, joinfile.File{Code: code.String()}); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	label := labelOf(code)
	fmt.Fprintf(f.out, "%s is %s of %s (join code %s)\n", path, label.Name, label.Site, label.Fingerprint)
	if f.labels == "" {
		return nil
	}
	return writeLabel(filepath.Join(f.labels, label.Site+"-"+label.Name+".png"), label)
}
