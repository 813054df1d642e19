package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tillprint/tillprint/cmd/internal/cli/clitest"
	"github.com/tillprint/tillprint/store/keyslot/swtpmtest"
)

// TestKeyslotScript and TestAutoSlotScript run the scripts that need a TPM of their own, which they find at $TPM.
func TestKeyslotScript(t *testing.T)  { withTPM(t, "testdata/keyslot") }
func TestAutoSlotScript(t *testing.T) { withTPM(t, "testdata/autoslot") }

func withTPM(t *testing.T, dir string) {
	chip := swtpmtest.Start(t, t.TempDir())
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("TPM", chip)
			return clitest.Setup(e)
		},
		Cmds: commands,
	})
}
