package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDemoOnRealFingers plays the canteen hour on a folder of real
// fingerprints, which is never part of the repository. With TILLPRINT_LONG=1
// the school has its full size, as in make test.
func TestDemoOnRealFingers(t *testing.T) {
	if testing.Short() {
		t.Skip("the scripted hour is too long for -short")
	}
	folder := os.Getenv("TILLPRINT_FINGERPRINTS")
	if folder == "" {
		folder = "../../../shared/fingerprints"
	}
	folder = filepath.Join(folder, "fvc2002_db1_b")
	if _, err := os.Stat(folder); err != nil {
		t.Skipf("no real fingerprints here (%v): name their folder in TILLPRINT_FINGERPRINTS", err)
	}
	pupils := "40"
	if os.Getenv("TILLPRINT_LONG") != "" {
		pupils = "1200"
	}
	for _, sensor := range []string{"r503", "r307"} {
		if sensor == "r307" && os.Getenv("TILLPRINT_LONG") == "" {
			continue
		}
		t.Run(sensor, func(t *testing.T) {
			out := play(t, "--fingers", folder, "--sensor", sensor, "--pupils", pupils)
			if !strings.HasSuffix(out, "everything held\n") || strings.Contains(out, "WRONG") {
				t.Errorf("not everything held")
			}
		})
	}
}

// play runs the demo's script and returns what it printed; it must exit 0.
func play(t *testing.T, flags ...string) string {
	t.Helper()
	var said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "tillprint", append([]string{"demo", "--script"}, flags...)...)
	cmd.Stderr = &said
	out, err := cmd.Output()
	t.Logf("%s%s", out, said.String())
	if err != nil {
		t.Errorf("the demo: %v", err)
	}
	return string(out)
}
