// Package clitest holds what the scripts that test Tillprint's commands share.
// Hand its functions to testscript.Params.Cmds.
package clitest

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// maxSaid is how many lines an error may have: the sentence, and for a mistake
// in the command line where to find help.
const maxSaid = 2

// Exits runs "exits CODE COMMAND ARG...": the command must end with that code,
// say at most two lines on standard error, and not panic. The script looks at
// the words itself.
func Exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	var ended *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &ended) {
		code = ended.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
	said := ts.ReadFile("stderr")
	if strings.Count(said, "\n") > maxSaid || strings.Contains(said, "goroutine ") {
		ts.Fatalf("more than a sentence was said")
	}
}

// Address runs "address NAME...": it finds a free port on loopback for each
// name and sets it in the script's environment as host:port.
func Address(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: address NAME...")
	}
	for _, name := range args {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		defer l.Close() // after the last is found, so that no two are the same
		ts.Setenv(name, l.Addr().String())
	}
}

// Fill runs "fill FILE...": it puts the values of the script's variables in
// place of $NAME in each file.
func Fill(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: fill FILE...")
	}
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}
