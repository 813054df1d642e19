package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/keyslot"
)

// school is a store in which everything has happened once: somebody is enrolled, somebody has withdrawn, somebody has
// refused at the till, somebody has left. Its fields are their pseudonyms.
type school struct {
	*testing.T
	*Store
	enrolled, withdrawn, refused, left consent.SubjectID
}

func newSchool(t *testing.T) *school {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	random := rand.NewChaCha8([32]byte{7})
	st, err := Create(t.TempDir(), &keyslot.Memory{Rand: random}, Identity{"oakfield", "till-1"}, Options{Rand: random, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	s := &school{T: t, Store: st}
	var changes []Change
	for i, id := range []*consent.SubjectID{&s.enrolled, &s.withdrawn, &s.refused, &s.left} {
		*id, err = consent.NewSubjectID(random)
		changes = append(changes, Change{Seq: uint64(i + 1), Subject: *id, Standing: Standing{Decision: consent.Permit, Reasons: []string{"A1"}},
			Person: &Person{Name: fmt.Sprint("Pupil ", i), Class: consent.Pupil, Revision: 1}})
		s.must(err)
	}
	s.must(st.Clock().Witness(noon))
	s.apply(changes, 4)
	for _, c := range changes {
		s.must(st.PutTemplates([]TemplateRecord{{Subject: c.Subject, Finger: 2, Data: []byte("minutiae of " + c.Subject), Enrolled: noon}}))
	}
	_, err = st.Refuse(s.refused, "operator")
	s.must(err)
	no := Standing{Decision: consent.Erase, Reasons: []string{"A12"}}
	s.apply([]Change{{Seq: 5, Subject: s.withdrawn, Standing: no}, {Seq: 6, Subject: s.left, Standing: no, Leaver: true}}, 6)
	return s
}

func (s *school) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *school) apply(changes []Change, seq uint64) {
	s.Helper()
	_, err := s.Apply(changes, seq, nil)
	s.must(err)
}

// change writes past all that guards the store.
func (s *school) change(f func(*bbolt.Tx) error) {
	s.Helper()
	s.must(s.update(f))
}

// stand changes a standing in memory and, if kept, on the disk.
func (s *school) stand(id consent.SubjectID, kept bool, f func(*standing)) {
	st := s.standings[id]
	f(&st)
	s.standings[id] = st
	if kept {
		s.change(func(tx *bbolt.Tx) error { return s.putStanding(tx, id, st) })
	}
}

// firstOf is the key and value of a bucket's first row.
func firstOf(tx *bbolt.Tx, bucket []byte) (k, v []byte) {
	k, v = tx.Bucket(bucket).Cursor().First()
	return append([]byte(nil), k...), append([]byte(nil), v...)
}

func (s *school) flip(bucket []byte) {
	s.change(func(tx *bbolt.Tx) error {
		k, v := firstOf(tx, bucket)
		v[len(v)-1] ^= 1
		return tx.Bucket(bucket).Put(k, v)
	})
}

// queue rewrites the receipts that wait for the hub.
func (s *school) queue(f func(*Item)) {
	s.change(func(tx *bbolt.Tx) error {
		b := tx.Bucket(outboxBucket)
		for _, k := range keysOf(b, nil) {
			it, err := s.item(k, b.Get(k))
			if err != nil || it.Kind != ItemReceipt {
				continue
			}
			f(&it)
			plain, err := json.Marshal(it)
			sealed, err2 := s.sealOwn(plain, "outbox", string(k))
			if err := errors.Join(err, err2, b.Put(k, sealed)); err != nil {
				return err
			}
		}
		return nil
	})
}

// broken are invariants, each broken on purpose: the check must say which, and nothing else that is sound.
var broken = []struct {
	name, invariants, says string
	breaks                 func(s *school)
}{
	{"nothing", "", "", func(*school) {}},
	{"the consent of somebody enrolled is gone", "I1 I2", "1 templates belong to subjects", func(s *school) {
		s.stand(s.enrolled, true, func(st *standing) { st.Decision = consent.Erase })
	}},
	{"a date was passed and nothing wiped", "I1 I2", "1 templates belong", func(s *school) {
		s.stand(s.enrolled, true, func(st *standing) {
			st.Ends = []consent.End{{On: consent.Date{Year: 2026, Month: 11, Day: 1}, Decision: consent.Erase, Row: "D3"}}
		})
	}},
	{"a template of nobody", "I1", "nothing may be held", func(s *school) {
		s.change(func(tx *bbolt.Tx) error {
			k, v := firstOf(tx, fingerBucket)
			return tx.Bucket(fingerBucket).Put(append([]byte("p_aaaaaaaaaaaaaaaaaaaaaaaaaa"), k[subjectIDSize:]...), v)
		})
	}},
	{"a template that was changed", "I1", "does not open", func(s *school) { s.flip(fingerBucket) }},
	{"a key that came back", "I2", "1 keys of fingers", func(s *school) {
		s.table.keys[s.withdrawn] = subjectKeys{finger: make([]byte, dataKeySize), person: s.table.keys[s.withdrawn].person}
	}},
	{"a leaver's key that came back", "I2", "1 of people who have left", func(s *school) {
		s.table.keys[s.left] = subjectKeys{person: make([]byte, dataKeySize)}
	}},
	{"records older than the key table", "I2", "sequence 5 and the key table at 6", func(s *school) {
		s.change(func(tx *bbolt.Tx) error { return s.putPending(tx, pending{Seq: 5}) })
	}},
	{"a witness that cannot be written", "I2", "has no witness", func(s *school) {
		s.must(s.witness.f.Close())
		s.must(s.SetSetting("any", []byte("x"))) // it is kept all the same
	}},
	{"a consent that no register brought", "I4", "1 standings are newer", func(s *school) {
		s.stand(s.enrolled, true, func(st *standing) { st.Seq = 7 })
	}},
	{"a consent that is in memory only", "I4", "1 are not on the disk", func(s *school) {
		s.stand("p_bbbbbbbbbbbbbbbbbbbbbbbbbb", false, func(st *standing) { st.Decision = consent.Permit })
	}},
	{"a leaver who is permitted", "I4", "1 permit somebody who has left", func(s *school) {
		s.stand(s.left, true, func(st *standing) { st.Decision = consent.Permit })
	}},
	{"a record of the log that was changed", "I5", "opening record 0", func(s *school) { s.flip([]byte("audit.records")) }},
	{"a hash of the log that was changed", "I5", "does not fit", func(s *school) { s.flip([]byte("audit.hashes")) }},
	{"a record of the log that was cut off", "I5", "hashes stand beside", func(s *school) {
		s.change(func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte("audit.records"))
			k, _ := b.Cursor().Last()
			return b.Delete(k)
		})
	}},
	{"receipts that were changed", "I5", "3 receipts for the hub do not verify", func(s *school) {
		s.queue(func(it *Item) { it.Text = strings.Replace(it.Text, "Templates removed: 1", "Templates removed: 9", 1) })
	}},
	{"receipts under another name", "I5", "3 receipts for the hub do not verify", func(s *school) {
		s.queue(func(it *Item) { it.Subject = s.enrolled })
	}},
	{"a refusal that was taken out", "I9", "1 refusals at this terminal are not in force", func(s *school) {
		s.stand(s.refused, true, func(st *standing) { st.Refused, st.Refusal, st.Decision = false, nil, consent.Pause })
	}},
	{"a page that tripped the program", "I6", "have tripped the program 1 times", func(s *school) {
		err := s.update(func(*bbolt.Tx) error { panic("page 7 already freed") })
		if err == nil || !strings.Contains(err.Error(), "already freed") {
			s.Errorf("a panic of the database is %v", err)
		}
	}},
}

func TestNothingBroken(t *testing.T) { wantNoticed(t, "") }
func TestI1Broken(t *testing.T)      { wantNoticed(t, "I1") }
func TestI2Broken(t *testing.T)      { wantNoticed(t, "I2") }
func TestI4Broken(t *testing.T)      { wantNoticed(t, "I4") }
func TestI5Broken(t *testing.T)      { wantNoticed(t, "I5") }
func TestI6Broken(t *testing.T)      { wantNoticed(t, "I6") }
func TestI9Broken(t *testing.T)      { wantNoticed(t, "I9") }

// wantNoticed breaks an invariant in every way that is listed for it.
func wantNoticed(t *testing.T, invariant string) {
	tried := 0
	for _, c := range broken {
		if first, _, _ := strings.Cut(c.invariants, " "); first != invariant {
			continue
		}
		tried++
		t.Run(c.name, func(t *testing.T) {
			s := newSchool(t)
			c.breaks(s)
			var found []string
			all := ""
			for _, v := range s.Check() {
				if len(found) == 0 || found[len(found)-1] != v.Invariant {
					found = append(found, v.Invariant)
				}
				all += v.Text + "; "
			}
			if got := strings.Join(found, " "); got != c.invariants || !strings.Contains(all, c.says) {
				t.Errorf("found %q (%s), want %q and %q", got, all, c.invariants, c.says)
			}
			if strings.Contains(all, "p_") || strings.Contains(all, "Pupil") {
				t.Errorf("somebody is named: %s", all)
			}
		})
	}
	if tried == 0 {
		t.Errorf("nothing breaks %s", invariant)
	}
}

// TestCheckFindsADamagedPage changes the file under the running store: a page that is referred to holds something else.
func TestCheckFindsADamagedPage(t *testing.T) {
	s := newSchool(t)
	for i := range 20 { // enough that the bucket has a page of its own
		s.must(s.SetSetting(fmt.Sprint("setting ", i), make([]byte, 500)))
	}
	var page int64
	s.must(s.db.View(func(tx *bbolt.Tx) error { page = int64(tx.Bucket(settingBucket).Root()); return nil }))
	f, err := os.OpenFile(filepath.Join(s.dir, recordsName), os.O_WRONLY, 0)
	s.must(err)
	_, err = f.WriteAt([]byte{0xee}, page*int64(s.db.Info().PageSize))
	s.must(errors.Join(err, f.Close()))
	found := s.Check()
	if len(found) != 1 || found[0].Invariant != "I2" || !strings.Contains(found[0].Text, "holds something else") {
		t.Errorf("found %v", found)
	}
}
