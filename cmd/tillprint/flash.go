package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/deploy/flash"
	"github.com/tillprint/tillprint/sync/register"
)

// flasher is one run of the command.
type flasher struct {
	image  string // path of the image
	join   string // a join code
	batch  string // path of a file with a join code a line
	key    string // release key, or a file that holds it
	labels string // folder for labels; "" for none
	yes    bool

	system flash.System
	in     *bufio.Reader
	out    io.Writer                   // what happens
	bar    io.Writer                   // progress
	pause  func(context.Context) error // between two looks at the readers
}

func flashCommand() *cobra.Command {
	f := &flasher{}
	c := &cobra.Command{
		Use:   "flash [DISK]",
		Short: "Write a terminal's card; without a disk, list those that could be written",
		Long: `Write a terminal's card: the image, read back and compared, and the file that makes it one terminal.

IMAGE is a released image, packed (.img.zst) or not; IMAGE.release, its signed statement, lies beside it. The image is
checked from end to end before anything is written. A disk that is built in, mounted, swapped on or larger than 512 GB
is refused whatever is answered; --yes only answers the question.

With --batch, cards are taken as they are put in, one for each join code of the file, until all codes are used.
'tillprint-hub join-code SITE TERMINAL...' prints them. Labels hold nothing secret: the terminal's key is made on the
terminal when it joins, so a new card's label names the join code by a fingerprint that the office's list shows too.`,
		Example: `  tillprint flash
  tillprint flash --join 'tillprint-join:v1?...' --image tillprint.img.zst /dev/sdb
  tillprint flash --batch codes.txt --image tillprint.img.zst --labels labels/`,
		Args: cli.Args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			f.system = flash.System{Sys: os.DirFS("/sys"), Proc: os.DirFS("/proc"), Dev: "/dev"}
			f.in, f.out, f.bar = bufio.NewReader(c.InOrStdin()), c.OutOrStdout(), c.ErrOrStderr()
			f.pause = aSecond
			return f.run(c.Context(), args)
		},
	}
	c.Flags().StringVar(&f.image, "image", "", "the image to write")
	c.Flags().StringVar(&f.join, "join", "", "the join code of this terminal, from the hub")
	c.Flags().StringVar(&f.batch, "batch", "", "a file with a join code in each line: write a card for each")
	c.Flags().StringVar(&f.key, "key", "", "the release key (name+hash+base64), or a file that holds it; tells who made the image")
	c.Flags().StringVar(&f.labels, "labels", "", "write a label for each terminal (PNG, 62 mm tape) into this folder")
	c.Flags().BoolVar(&f.yes, "yes", false, "do not ask; for scripts")
	return c
}

func (f *flasher) run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 0 && f.image == "" && f.batch == "":
		return f.list()
	case f.image == "":
		return cli.Usage(errors.New("the image is missing; give it with --image"))
	case f.batch != "" && (f.join != "" || len(args) > 0):
		return cli.Usage(errors.New("--batch takes cards as they come; give neither --join nor a disk with it"))
	case f.batch == "" && len(args) == 0:
		return cli.Usage(errors.New("the disk is missing; 'tillprint flash' lists those that could be written"))
	}
	var codes []register.JoinCode
	var err error
	if f.batch != "" {
		codes, err = readCodes(f.batch)
	} else if f.join != "" {
		codes = make([]register.JoinCode, 1)
		codes[0], err = register.ParseJoinCode(f.join)
	}
	if err != nil {
		return cli.Usage(err)
	}
	if f.labels != "" {
		if err := os.MkdirAll(f.labels, 0o755); err != nil {
			return fmt.Errorf("making the folder for labels: %w", err)
		}
	}
	image, err := f.open(ctx)
	if err != nil {
		return err
	}
	if f.batch != "" {
		return f.cards(ctx, image, codes)
	}
	return f.one(ctx, args[0], image, codes)
}

// list shows the disks that could be written, and why others could not.
func (f *flasher) list() error {
	disks, err := f.system.Disks()
	if err != nil {
		return err
	}
	found := false
	for _, d := range disks {
		if err := d.Refuse(); err != nil {
			fmt.Fprintln(f.out, err)
			continue
		}
		found = true
		fmt.Fprintf(f.out, "%s  %s  %s\n", d.Path, flash.Bytes(d.Size), cmp.Or(d.Model, "of unknown make"))
	}
	if !found {
		fmt.Fprintln(f.out, "no card that could be written; put one into a reader")
	}
	return nil
}

func aSecond(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Second):
		return nil
	}
}

// onTerminal reports whether somebody watches w.
func onTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
