package till

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/tillprint/tillprint/device/zfm"
)

// TestEveryLossSaysWhatHelps: each way in which a sensor cannot be opened has
// words of its own, and ends with something to do.
func TestEveryLossSaysWhatHelps(t *testing.T) {
	seen := map[string]error{}
	for _, err := range []error{fs.ErrNotExist, fs.ErrPermission, zfm.ErrBusy, zfm.ErrNotSerial, zfm.ErrNoModule, zfm.ErrPassword,
		zfm.ErrUnplugged, &zfm.GeometryError{}, zfm.ErrUnsupported, zfm.ErrLine} {
		words := lossWords(fmt.Errorf("opening the sensor: %w", err))
		if _, advice, ok := strings.Cut(words, ": "); !ok || advice == "" {
			t.Errorf("%v: %q says nothing to do", err, words)
		}
		if other, ok := seen[words]; ok {
			t.Errorf("%v and %v are told alike: %q", err, other, words)
		}
		seen[words] = err
	}
}
