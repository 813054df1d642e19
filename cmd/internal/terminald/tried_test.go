package terminald

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tillprint/tillprint/deploy/release"
)

// A stick that is left in is tried once. Another version is, and the same one after somebody has asked for it.
func TestAStickIsNotTriedForEver(t *testing.T) {
	c := Default()
	c.Store.Dir = t.TempDir()
	stick := t.TempDir()
	boot := "boot-1"
	t.Setenv("CREDENTIALS_DIRECTORY", stick) // where bootID looks
	restart := func(id string) {
		boot = id
		must(t, os.WriteFile(filepath.Join(stick, "boot_id"), []byte(boot), 0o600))
	}
	taken := func(sequence uint64, want bool) {
		t.Helper()
		err := c.Untried(stick, &release.Release{Version: "v1", Sequence: sequence})
		if (err == nil) != want || err != nil && !errors.Is(err, errTried) {
			t.Errorf("version %d at %s: %v", sequence, boot, err)
		}
	}
	try := func(sequence uint64) { taken(sequence, true); must(t, c.NoteTrial(stick, sequence)) }
	again := func(word string) { must(t, os.WriteFile(filepath.Join(stick, againName), []byte(word), 0o600)) }

	restart("boot-1")
	try(11)
	taken(11, true) // the restart did not come about
	restart("boot-2")
	taken(11, false)
	try(12)
	restart("boot-3")
	taken(12, false)
	taken(11, false) // two sticks do not take turns
	again("please")
	try(11)
	restart("boot-4")
	taken(11, false) // the same word counts once
	again("once more")
	try(11)
	restart("boot-5")
	taken(11, false)
	must(t, c.ForgetTried())
	must(t, c.ForgetTried())
	try(11)
	restart("boot-6")
	taken(11, false)
	must(t, os.WriteFile(c.triedPath(), []byte("{"), 0o600))
	try(11)
	for n := range uint64(2 * maxTried) {
		must(t, c.NoteTrial(stick, 100+n))
	}
	if all, err := c.readTried(); err != nil || len(all) != maxTried {
		t.Errorf("%d are kept, %v", len(all), err)
	}
}
