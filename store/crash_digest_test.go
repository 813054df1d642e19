package store

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/keyslot"
)

// promise is what the script's process says after an operation has returned: everything that the store now holds, and
// which keys have died.
type promise struct {
	Name   string
	Now    time.Time
	Holds  string   // see digest; empty when no store may open any more
	Killed []string // data keys that this operation destroyed, in hexadecimal
	Unsent []string // what only this terminal knows: see onlyHere
}

// digest writes down everything that a store holds, one line for each thing. Starts and stops are left out: every
// look into a store adds one.
func digest(s *Store) (string, error) {
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	seq, head := s.Applied()
	pruned, err := s.LogPruned()
	if err != nil {
		return "", err
	}
	add("sequence %d %q epoch %d log from %d", seq, head, s.Epoch(), pruned)
	for name, v := range s.table.secrets {
		if name == secretAnchor || name == secretGeneration { // how often an interrupted operation was begun is no promise
			continue
		}
		add("secret %s %x", name, sha256.Sum256(v))
	}
	for id, st := range s.standings {
		b, err := json.Marshal(st)
		if err != nil {
			return "", err
		}
		add("standing %s %s", id, b)
	}
	err = errors.Join(s.view(func(tx *bbolt.Tx) error { return digestSealed(s, tx, add) }),
		s.People(func(id consent.SubjectID, p Person) bool {
			owner, verifier, ok := s.FindPIN(p.PINIndex)
			add("person %s %+v, the PIN finds %s %s %t", id, p, owner, verifier, ok)
			return true
		}))
	slices.Sort(lines)
	err = errors.Join(err, s.Events(0, func(_ int64, e audit.Event) bool {
		if e.Kind != audit.Start && e.Kind != audit.Stop {
			add("event %+v", e)
		}
		return true
	}))
	return strings.Join(lines, "\n"), err
}

// digestSealed adds settings, templates and the outbox.
func digestSealed(s *Store, tx *bbolt.Tx, add func(string, ...any)) error {
	settings := tx.Bucket(settingBucket).ForEach(func(k, v []byte) error {
		plain, err := s.openOwn(v, "setting", string(k))
		add("setting %s %x", k, sha256.Sum256(plain))
		return err
	})
	templates := s.walk(tx, nil, func(consent.SubjectID) bool { return true }, func(r TemplateRecord) error {
		add("template %s %d %x %s %s", r.Subject, r.Finger, sha256.Sum256(r.Data), r.Enrolled, r.From)
		return nil
	})
	outbox := tx.Bucket(outboxBucket).ForEach(func(k, v []byte) error {
		it, err := s.item(k, v)
		add("item %d %+v", it.ID, it)
		return err
	})
	return errors.Join(settings, templates, outbox)
}

// dataKeys are the fingers' and the people's keys of a table.
func dataKeys(t *table) map[string]bool {
	keys := map[string]bool{}
	for _, k := range t.keys {
		for _, b := range [][]byte{k.finger, k.person} {
			if b != nil {
				keys[hex.EncodeToString(b)] = true
			}
		}
	}
	return keys
}

// reachable is what somebody gets who has the whole medium: the data keys in every key table, also of those that were
// replaced long ago and may still stand in some block, that opens with what the key file holds.
func reachable(dir string, tables [][]byte) map[string]bool {
	keys := map[string]bool{}
	for _, name := range keyFiles {
		slot, err := keyslot.OpenFile(filepath.Join(dir, name), nil)
		if err != nil {
			continue // no key file, no key
		}
		maps.Copy(keys, reachableFrom(slot, tables))
	}
	return keys
}

func reachableFrom(slot keyslot.Slot, tables [][]byte) map[string]bool {
	keys := map[string]bool{}
	roots := map[uint64][]byte{}
	for _, whole := range tables {
		if len(whole) < tableHeader+sealedOver || string(whole[:len(tableMagic)]) != tableMagic {
			continue
		}
		epoch := binary.BigEndian.Uint64(whole[len(tableMagic):])
		if _, ok := roots[epoch]; !ok {
			roots[epoch] = make([]byte, keyslot.KeySize)
			if slot.Key(epoch, roots[epoch]) != nil {
				roots[epoch] = nil
			}
		}
		if roots[epoch] == nil {
			continue
		}
		plain, err := open(nil, roots[epoch], whole[tableHeader:], crashID.tableBinding(epoch))
		if err != nil {
			continue
		}
		if table, err := parseTable(plain); err == nil {
			maps.Copy(keys, dataKeys(table))
		}
	}
	return keys
}

// tablesIn are the key tables in a folder, whatever their names.
func tablesIn(t testing.TB, dir string) (tables [][]byte) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "store", "keytable*"))
	for _, path := range paths {
		whole, err2 := os.ReadFile(path)
		err = errors.Join(err, err2)
		tables = append(tables, whole)
	}
	if err != nil {
		t.Fatal(err)
	}
	return tables
}
