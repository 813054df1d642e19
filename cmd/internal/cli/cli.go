// Package cli is what Tillprint's three commands share: how they start, stop,
// name their version and report an error.
//
// A command's main function builds its cobra tree and hands it to Main. The
// context of every command ends at the first SIGINT or SIGTERM, so that work
// stops in order; a second signal ends the process at once.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes of all three commands.
const (
	ExitOK     = 0
	ExitFailed = 1 // the work was tried and failed, or a check did not hold
	ExitUsage  = 2 // the command line or the configuration could not be understood
	ExitFinal  = 3 // the terminal was wiped by its hub: starting it again is of no use
)

// version is set by the linker for a release: -X .../cmd/internal/cli.version=v1.2.3
var version string

// Version is the release this binary was built as, or the version that the
// Go toolchain recorded, or "devel" for a build from a working tree.
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

// exitError is an error for which the process exits with a code of its own.
type exitError struct {
	code int
	error
}

func (e *exitError) Unwrap() error { return e.error }

// Usage marks err as a mistake in the command line or the configuration, for
// which the process exits with ExitUsage; nil stays nil.
func Usage(err error) error { return withCode(ExitUsage, err) }

// Final marks err as an end after which the process must not be started again:
// it exits with ExitFinal; nil stays nil.
func Final(err error) error { return withCode(ExitFinal, err) }

func withCode(code int, err error) error {
	if err == nil {
		return nil
	}
	return &exitError{code, err}
}

// Main runs root with the process's arguments and ends the process with one
// of the exit codes above. An error is printed as one line, without the usage
// text, which would push it off a small screen.
func Main(root *cobra.Command) {
	root.Version = Version()
	root.SilenceUsage = true
	root.SilenceErrors = true
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return Usage(fmt.Errorf("%w\nrun '%s --help' for the flags", err, c.CommandPath()))
	})
	root.InitDefaultCompletionCmd()
	root.AddCommand(manCommand())
	refuseUnknown(root)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(report(root, root.ExecuteContext(ctx)))
}

// refuseUnknown lets every command that only groups others refuse a word that
// names none of them; cobra would print the help and exit 0.
func refuseUnknown(c *cobra.Command) {
	for _, sub := range c.Commands() {
		refuseUnknown(sub)
	}
	if c.Runnable() {
		return
	}
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		return Usage(fmt.Errorf("there is no command %q\nrun '%s --help' for the commands", args[0], c.CommandPath()))
	}
}

func report(root *cobra.Command, err error) int {
	if err == nil {
		return ExitOK
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", root.Name(), err)
	var exit *exitError
	if errors.As(err, &exit) {
		return exit.code
	}
	return ExitFailed
}

// Args turns cobra's argument check into a usage error that shows how the
// command is used.
func Args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return Usage(fmt.Errorf("%w\nusage: %s", err, c.UseLine()))
		}
		return nil
	}
}
