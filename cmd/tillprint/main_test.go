package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tillprint/tillprint/cmd/internal/cli/clitest"
)

// TestMain lets the test binary be tillprint itself: for the scripts, which
// call it by that name, and for the demo, which starts its daemons by calling
// its own executable with a hidden command.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "demo-hub" || os.Args[1] == "demo-terminal") {
		main()
	}
	testscript.Main(m, map[string]func(){"tillprint": main})
}

// TestScript runs every script of testdata against the command. What only the
// scripts know, they get from the commands in script_test.go.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   clitest.Exits,
			"fingers": fingers,
			"blank":   blank,
			"receipt": receipt,

			"certificate": certificate,
			"sim":         startSim,
			"tell":        tellSim,
			"image":       imageForScript,
			"history":     history,
		},
		Setup: func(env *testscript.Env) error {
			env.Values[sim{}] = &sim{}
			return nil
		},
		Condition: func(cond string) (bool, error) { return cond == "short" && testing.Short(), nil },
	})
}
