package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/tillprint/tillprint/deploy/flash"
	"github.com/tillprint/tillprint/sync/register"
)

// doneSuffix names the list of fingerprints of the codes of a batch that are on cards.
const doneSuffix = ".done"

// readCodes reads the join codes of a batch, one a line; a terminal's name may stand before each.
func readCodes(path string) ([]register.JoinCode, error) {
	text, err := readSmall(path)
	if err != nil {
		return nil, fmt.Errorf("reading the join codes: %w", err)
	}
	var all []register.JoinCode
	for i, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		code, err := register.ParseJoinCode(fields[len(fields)-1])
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", path, i+1, err)
		}
		all = append(all, code)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s holds no join code; 'tillprint-hub join-code SITE TERMINAL...' prints them", path)
	}
	return all, nil
}

// cards writes a card for each code, as they are put in.
func (f *flasher) cards(ctx context.Context, image flash.Image, codes []register.JoinCode) error {
	done, err := f.done()
	if err != nil {
		return err
	}
	there, err := f.writable()
	if err != nil {
		return err
	}
	for path := range there {
		fmt.Fprintf(f.out, "%s is in already and is left alone; take it out and put it in again to have it written\n", path)
	}
	if err := f.confirm("everything on each card that is put in from now on is lost"); err != nil {
		return err
	}
	for i, code := range codes {
		if done[code.Fingerprint()] {
			continue
		}
		fmt.Fprintf(f.out, "card %d of %d, for %s: put it in\n", i+1, len(codes), labelOf(code).Name)
		for written := false; !written; {
			if written, err = f.card(ctx, image, code, there); err != nil {
				return err
			}
		}
		if err := f.note(code.Fingerprint()); err != nil {
			return err
		}
	}
	fmt.Fprintf(f.out, "all %d cards are written\n", len(codes))
	return nil
}

// card writes the next card that is put in. One that fails does not end the batch: its code goes onto the one after it.
func (f *flasher) card(ctx context.Context, image flash.Image, code register.JoinCode, there map[string]bool) (written bool, err error) {
	d, err := f.next(ctx, there)
	if err != nil {
		return false, err
	}
	there[d.Path] = true
	if err = f.describe(d); err == nil {
		err = f.write(ctx, d.Path, image, &code)
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		fmt.Fprintln(f.out, err)
		return false, nil
	}
	return true, nil
}

// next waits for a card that is not there yet. there is brought up to date: what was taken out may come back.
func (f *flasher) next(ctx context.Context, there map[string]bool) (flash.Disk, error) {
	for {
		disks, err := f.system.Disks()
		if err != nil {
			return flash.Disk{}, err
		}
		now := make(map[string]bool)
		for _, d := range disks {
			if d.Refuse() != nil {
				continue
			}
			if !there[d.Path] {
				return d, nil
			}
			now[d.Path] = true
		}
		for path := range there {
			if !now[path] {
				delete(there, path)
			}
		}
		if err := f.pause(ctx); err != nil {
			return flash.Disk{}, err
		}
	}
}

// writable is which cards are in.
func (f *flasher) writable() (map[string]bool, error) {
	disks, err := f.system.Disks()
	there := make(map[string]bool)
	for _, d := range disks {
		if d.Refuse() == nil {
			there[d.Path] = true
		}
	}
	return there, err
}

// done reads which codes are on cards already, so that an interrupted batch goes on where it was.
func (f *flasher) done() (map[string]bool, error) {
	file, err := os.Open(f.batch + doneSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading which cards are written: %w", err)
	}
	defer file.Close()
	done := make(map[string]bool)
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		done[lines.Text()] = true
	}
	return done, lines.Err()
}

func (f *flasher) note(fingerprint string) (err error) {
	file, err := os.OpenFile(f.batch+doneSuffix, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("noting that the card is written: %w", err)
	}
	defer closing(file, &err)
	if _, err := fmt.Fprintln(file, fingerprint); err != nil {
		return fmt.Errorf("noting that the card is written: %w", err)
	}
	return file.Sync()
}
