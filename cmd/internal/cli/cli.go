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

// UsageError marks an error as a mistake in the command line or the
// configuration, for which the process exits with ExitUsage.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

// Usage wraps err as a UsageError; nil stays nil.
func Usage(err error) error {
	if err == nil {
		return nil
	}
	return &UsageError{Err: err}
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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(report(root, root.ExecuteContext(ctx)))
}

func report(root *cobra.Command, err error) int {
	if err == nil {
		return ExitOK
	}
	fmt.Fprintf(os.Stderr, "%s: %v\n", root.Name(), err)
	var usage *UsageError
	if errors.As(err, &usage) {
		return ExitUsage
	}
	return ExitFailed
}

// Args turns cobra's argument check into a usage error that names the command.
func Args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return Usage(fmt.Errorf("%s: %w\nusage: %s", c.CommandPath(), err, c.UseLine()))
		}
		return nil
	}
}
