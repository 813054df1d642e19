package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/durable"
	"github.com/tillprint/tillprint/store/keyslot"
)

// A card whose folder cannot be made durable after the table was renamed leaves two tables that the next start may find.
// Both must open until one of them is certain; nothing is acknowledged before, and the same call completes it.
func TestI2TableThatMayComeBack(t *testing.T) {
	for _, tc := range []struct {
		name string
		do   func(c *canteen) error
	}{
		{"wipe", func(c *canteen) error { return c.apply(consent.Erase, nil, 0) }},
		{"person", func(c *canteen) error { return c.apply(consent.Permit, c.withPerson, 5) }},
		{"secrets", func(c *canteen) error { return c.st.SetSecrets(map[string][]byte{"pepper": []byte("p")}) }},
		{"enrolment", func(c *canteen) error { return c.enrol("till-2", 1, 1) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCanteen(t.TempDir(), 1)
			must(t, c.create())
			must(t, c.apply(consent.Permit, c.withPerson, 0, 1))
			must(t, c.enrol("till-2", 2, 0))
			before := readFile(t, filepath.Join(c.folder(), tableName))
			broken := errors.New("input/output error")
			c.st.o.syncDir = func(string) error { return broken }
			if err := tc.do(c); !errors.Is(err, broken) {
				t.Fatalf("acknowledged: %v", err)
			}
			after := readFile(t, filepath.Join(c.folder(), tableName))
			wantOpens(t, c, before)
			wantOpens(t, c, after)
			if err := c.apply(consent.Permit, nil, 7); !errors.Is(err, broken) { // goes on failing, and digs no deeper
				t.Errorf("another call: %v", err)
			}
			wantOpens(t, c, before)
			wantOpens(t, c, readFile(t, filepath.Join(c.folder(), tableName)))

			c.st.o.syncDir = durable.SyncDir
			must(t, tc.do(c))
			if v := c.st.Check(); len(v) > 0 {
				t.Errorf("violations: %v", v)
			}
			must(t, c.reopen())
			if tc.name == "wipe" && c.st.HasFingerKey(c.ids[0]) {
				t.Error("the wiped key is back")
			}
			must(t, c.st.Close())
		})
	}
}

// wantOpens looks whether a table on the card could be opened with the key file as it is.
func wantOpens(t *testing.T, c *canteen, file []byte) {
	t.Helper()
	dir := t.TempDir()
	must(t, durable.Replace(filepath.Join(dir, tableName), file))
	slot, err := keyslot.OpenFile(filepath.Join(c.dir, "root.key"), c.rand)
	must(t, err)
	root := make([]byte, keyslot.KeySize)
	got, err := readTable(dir, crashID, slot, root)
	if err != nil {
		t.Errorf("a table that may come back does not open: %v", err)
		return
	}
	got.page.release()
}

// While a move to another slot is uncertain, both slots keep their keys.
func TestI2MoveThatMayComeUndone(t *testing.T) {
	c := newCanteen(t.TempDir(), 1)
	must(t, c.create())
	from, to := c.st.slot, &keyslot.Memory{Rand: c.rand}
	c.st.o.syncDir = func(string) error { return errors.New("input/output error") }
	if err := c.st.Move(to); err == nil {
		t.Fatal("acknowledged")
	}
	key := make([]byte, keyslot.KeySize)
	must(t, from.Key(1, key))
	must(t, to.Key(2, key))
	c.st.o.syncDir = durable.SyncDir
	must(t, c.apply(consent.Permit, c.withPerson, 0))
	must(t, c.enrol("till-2", 1, 0))
	must(t, c.apply(consent.Erase, nil, 0)) // rotates in the new slot
	must(t, c.st.Close())
	st, err := Open(c.folder(), to, crashID, c.options())
	must(t, err)
	must(t, st.Close())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	return b
}
