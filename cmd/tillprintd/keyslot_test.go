package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tillprint/tillprint/cmd/internal/cli/clitest"
	"github.com/tillprint/tillprint/store/keyslot/swtpmtest"
)

// TestKeyslotScript runs the scripts that need a TPM, which they find at $TPM.
func TestKeyslotScript(t *testing.T) {
	chip := swtpmtest.Start(t, t.TempDir())
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/keyslot",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("TPM", chip)
			return clitest.Setup(e)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": clitest.Exits, "address": clitest.Address, "fill": clitest.Fill, "daemon": clitest.Daemon, "stop": clitest.Stop, "school": school, "serve": serve,
		},
	})
}
