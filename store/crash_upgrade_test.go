package store

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/crashtest"
)

// upgradeScript begins from records as the first version wrote them, with something in every bucket.
var upgradeScript = []scripted{
	{"create", (*canteen).create},
	{"people join", func(c *canteen) error { return c.apply(consent.Permit, c.withPerson, 0, 1, 2, 3) }},
	{"enrol here", func(c *canteen) error { return c.enrol("", 2, 0, 1, 2) }},
	{"withdrawal", func(c *canteen) error { return c.apply(consent.Erase, nil, 0) }},
	{"refusal", func(c *canteen) error { _, err := c.st.Refuse(c.ids[1], "op-1"); return err }},
	{"first version", func(c *canteen) error {
		err := errors.Join(c.st.Close(), toFirstVersion(filepath.Join(c.folder(), recordsName)))
		c.st = nil
		return err
	}},
	{"upgrade", (*canteen).reopen},
	{"enrol after it", func(c *canteen) error { return c.enrol("", 2, 2) }},
	{"restart", (*canteen).reopen},
}

func toFirstVersion(path string) error {
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(metaBucket)
		return errors.Join(meta.Delete(digestKey), meta.Put(schemaKey, []byte("1")))
	})
	return errors.Join(err, db.Close())
}

// recordUpgrade also gives the number of marks at which the records are of the first version.
func recordUpgrade(t *testing.T) (*crashtest.Trace, []promise, int) {
	trace, promises := record(t, "upgrade")
	old := slices.IndexFunc(upgradeScript, func(op scripted) bool { return op.name == "first version" })
	promises[old].Holds, promises[old].Killed = promises[old-1].Holds, nil // its store was closed, and lost nothing
	return trace, promises, old + 1
}

// The way from the first version to this one is cut at every moment: the next start finds everything, and while the
// records are of this version and not verified yet, the copy of the old ones is whole.
func TestI2UpgradeIsCutAtEveryMoment(t *testing.T) {
	trace, promises, from := recordUpgrade(t)
	upgraded, copies := 0, 0
	count := newJudge(t, trace, promises).tally(upgrades(trace, from), func(s crashtest.State, v verdict, why string) bool {
		if v != kept {
			t.Errorf("%s, after %q: %s: %s", s.Where, promises[s.Marks-1].Name, v, why)
		}
		now, whole := versionIn(t, s, recordsName), versionIn(t, s, recordsName+".v1")
		if now == "2" && whole != "" {
			copies++
			if whole != "1" {
				t.Errorf("%s: the records are of version 2, and the copy of the old ones is %s", s.Where, whole)
			}
		}
		if now == "2" {
			upgraded++
		}
		return !t.Failed()
	})
	t.Logf("disks: %v, %d of this version, %d of them with a copy", count, upgraded, copies)
	if count[kept] < 20 || upgraded == count[kept] || copies == 0 {
		t.Error("the disks are not those of an upgrade")
	}
	t.Run("control", func(t *testing.T) { carelessUpgradesFail(t, trace, promises, from) })
}

// upgrades are the disks of a cut after so many marks.
func upgrades(trace *crashtest.Trace, from int) func(yield func(crashtest.State) bool) {
	return func(yield func(crashtest.State) bool) {
		for s := range trace.States(crashBounds(8, 256)) {
			if s.Marks >= from && !yield(s) {
				return
			}
		}
	}
}

// carelessUpgradesFail leaves out an fsync of the records, then that of the copy.
func carelessUpgradesFail(t *testing.T, trace *crashtest.Trace, promises []promise, from int) {
	count := newJudge(t, trace, promises).tally(upgrades(trace.Without(syncOf("store/"+recordsName)), from),
		func(_ crashtest.State, v verdict, _ string) bool { return v == kept })
	if count[aside]+count[refused]+count[reported] == 0 {
		t.Errorf("without the fsyncs of the records nothing is lost: %v", count)
	}
	for s := range upgrades(trace.Without(syncOf("store/"+recordsName+".v1")), from) {
		if whole := versionIn(t, s, recordsName+".v1"); whole != "" && whole != "1" && versionIn(t, s, recordsName) == "2" {
			return
		}
	}
	t.Error("without the fsync of the copy it is never found half beside records of this version")
}

// versionIn is the layout of a records file on a disk: "" without the file, "not whole" where it cannot be read.
func versionIn(t *testing.T, s crashtest.State, name string) (version string) {
	t.Helper()
	b, ok := s.Files["store/"+name]
	if !ok {
		return ""
	}
	path := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	version = "not whole"
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		return version
	}
	defer db.Close()
	_ = db.View(func(tx *bbolt.Tx) error {
		info, err := os.Stat(path)
		if err == nil && tx.Size() <= info.Size() && checkTreeOf(path, db, tx) == nil {
			version = strings.Clone(string(tx.Bucket(metaBucket).Get(schemaKey)))
		}
		return err
	})
	return version
}

// checkTreeOf looks through every page.
func checkTreeOf(path string, db *bbolt.DB, tx *bbolt.Tx) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return checkTree(f, db.Info().PageSize, uint64(tx.ID()))
}
