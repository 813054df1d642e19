package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tillprint/tillprint/cmd/internal/cli/clitest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tillprint-hub": main})
}

// TestScript runs every script of testdata against the command.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               clitest.Setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   clitest.Exits,
			"address": clitest.Address,
			"daemon":  clitest.Daemon,
			"stop":    clitest.Stop,
			"fill":    clitest.Fill,
			"sees":    clitest.Sees,
		},
	})
}
