package terminald

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tillprint/tillprint/store/keyslot"
)

// A version on trial that finds no key, or reads the table or the records wrongly, destroys nothing and sets nothing
// aside: the version that it falls back to opens the store as it was.
func TestAVersionOnTrialLeavesTheStore(t *testing.T) {
	overwrite := func(path string) func(d *device) {
		return func(d *device) {
			b, err := os.ReadFile(d.path(path))
			must(d.t, err)
			must(d.t, os.WriteFile(d.path(path), bytes.Repeat([]byte{0x5a}, len(b)), 0o600))
		}
	}
	for _, tc := range []struct {
		name, kind string
		misread    func(d *device) // what the new version takes for the truth
		mend       func(d *device) // what the version before it reads
	}{
		{"key file", keyslot.KindFile, func(d *device) { must(d.t, os.Rename(d.c.slotPath(), d.path("elsewhere"))) },
			func(d *device) { must(d.t, os.Rename(d.path("elsewhere"), d.c.slotPath())) }},
		{"key table with a TPM", keyslot.KindTPM, overwrite("keytable"), nil},
		{"key table with a memory chip", keyslot.KindI2C, overwrite("keytable"), nil},
		{"records", keyslot.KindFile, overwrite("records.db"), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDevice(t, tc.kind).placed()
			before := map[string][]byte{}
			for _, name := range []string{"keytable", "records.db"} {
				b, err := os.ReadFile(d.path(name))
				must(t, err)
				before[name] = b
			}
			tc.misread(d)
			p := d.opening()
			p.trial = func() bool { return true }
			for range 2 * lossTries {
				if st, err := p.try(); err == nil {
					st.Close()
					t.Fatal("it was opened, or begun anew")
				} else if p.lost >= lossTries && !errors.Is(err, errUntried) {
					t.Fatal(err)
				}
			}
			if aside, _ := filepath.Glob(d.path("*.aside-*")); len(aside) > 0 {
				t.Fatalf("set aside: %v", aside)
			}
			if tc.mend != nil {
				tc.mend(d)
			}
			for name, b := range before {
				must(t, os.WriteFile(d.path(name), b, 0o600))
			}
			d.open()
		})
	}
}

// A move of the keys that was interrupted is opened, and finished by a committed version only.
func TestAVersionOnTrialFinishesNoMove(t *testing.T) {
	d := newDevice(t, keyslot.KindFile)
	use := keyslot.Use{Kind: keyslot.KindI2C, From: keyslot.KindFile}
	must(t, use.Write(d.c.Store.Dir))
	p := d.opening()
	p.trial = func() bool { return true }
	st, err := p.try()
	must(t, err)
	must(t, st.Close())
	if got, err := d.c.use(); err != nil || got != use {
		t.Errorf("the note says %+v, %v", got, err)
	}
	p.trial = func() bool { return false }
	st, err = p.try()
	must(t, err)
	must(t, st.Close())
	if d.wantOneSlot() != keyslot.KindFile {
		t.Error("the keys moved")
	}
}
