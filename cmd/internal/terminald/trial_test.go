package terminald

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
)

// A version on trial leaves the layout of the records to the version that it may have to give way to: it would not get as far as the
// store, of which this terminal has none.
func TestAVersionOnTrialDoesNotPrune(t *testing.T) {
	on := &Terminal{keepLog: 1, trial: func() bool { return true }}
	on.pruneLog(slog.New(slog.NewTextHandler(io.Discard, nil)))
}

// The unit hides the kernel's files from the daemon and hands them over as credentials.
func TestWhatTheKernelSaysComesAsACredential(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"boot_id": "handed over\n", "cmdline": "quiet tillprint.slot=b\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	own := bootID()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	if got := bootID(); got != "handed over" || own == got {
		t.Errorf("this start of the kernel is %q, and %q without credentials", got, own)
	}
	if got, err := kernelSays("/proc/cmdline", "cmdline"); err != nil || string(got) != "quiet tillprint.slot=b\n" {
		t.Errorf("the command line is %q: %v", got, err)
	}
}
