package terminald

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillprint/tillprint/till"
)

// A card without room is said in the health bar, with what to do.
func TestCardLamp(t *testing.T) {
	if l := roomLamp(15 << 20); l.Level != till.Bad || !strings.Contains(l.Words, "15 MiB left") || !strings.Contains(l.Words, "tell the office") {
		t.Errorf("15 MiB free: %+v", l)
	}
	if l := roomLamp(4 << 30); l.Level != till.Good || l.Words != "4096 MiB free" {
		t.Errorf("4 GiB free: %+v", l)
	}
	if l := cardLamp(filepath.Join(t.TempDir(), "nosuch")); l.Level != till.Warn {
		t.Errorf("no folder: %+v", l)
	}
}
