package flash_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tillprint/tillprint/deploy/flash"
)

// A reader that knows no ejecting is no trouble; one that refuses is told of.
func TestEject(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "card"))
	if err != nil {
		t.Fatal(err)
	}
	if err := flash.Eject(file); err != nil {
		t.Errorf("a file: %v", err)
	}
	file.Close()
	if flash.Eject(file) == nil {
		t.Error("nothing is said of a card that does not answer")
	}
}
