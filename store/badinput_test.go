package store_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/keyslot"
)

func (b *bench) path(name string) string { return filepath.Join(b.dir, "store", name) }

func (b *bench) records(f func(*bbolt.Tx) error) {
	b.t.Helper()
	db, err := bbolt.Open(b.path("records.db"), 0o600, nil)
	if err == nil {
		err = errors.Join(db.Update(func(tx *bbolt.Tx) error {
			at := binary.BigEndian.AppendUint64(nil, uint64(tx.ID()))
			return errors.Join(f(tx), tx.Bucket([]byte("meta")).Put([]byte("at"), at)) // as if the program itself had done it
		}), db.Close())
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// What cannot be opened is one sentence that says what to do, and nothing is touched.
func TestOpenSaysWhatIsWrong(t *testing.T) {
	for _, tc := range []struct {
		name   string
		damage func(b *bench)
		is     error
		says   string
	}{
		{"newer version", func(b *bench) {
			b.records(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("schema"), []byte("4")) })
		}, store.ErrNewer, "install that version"},
		{"newer key table", func(b *bench) { patch(b.t.(*testing.T), b.path("keytable"), 4, []byte{2}) }, store.ErrNewer, "install that version"},
		{"another terminal", func(b *bench) {
			b.records(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("terminal"), []byte("till-9")) })
		}, store.ErrOther, "terminal till-9 of site st-mary"},
		{"key file missing", func(b *bench) { os.Remove(b.key()) }, os.ErrNotExist, "data protection officer"},
		{"key file cut off", func(b *bench) { os.Truncate(b.key(), 20000) }, nil, "data protection officer"},
		{"key file readable by others", func(b *bench) { os.Chmod(b.key(), 0o644) }, nil, "chmod 600"},
		{"key file of another store", func(b *bench) {
			os.Remove(b.key())
			slot, err := keyslot.CreateFile(b.key(), b.rand)
			if err != nil {
				b.t.Fatal(err)
			}
			slot.Next(1, make([]byte, keyslot.KeySize))
		}, store.ErrKey, "put the right one back"},
		{"empty key file", func(b *bench) {
			os.Remove(b.key())
			if _, err := keyslot.CreateFile(b.key(), b.rand); err != nil {
				b.t.Fatal(err)
			}
		}, keyslot.ErrNoKey, "no key for this epoch"},
		{"key table missing", func(b *bench) { os.Remove(b.path("keytable")) }, os.ErrNotExist, "lost its key table"},
		{"key table cut off", func(b *bench) { os.Truncate(b.path("keytable"), 20) }, nil, "cut off"},
		{"key table damaged", func(b *bench) { patch(b.t.(*testing.T), b.path("keytable"), 60, []byte("damage")) }, store.ErrKey, "damaged"},
		{"nothing there", func(b *bench) { os.RemoveAll(b.path("")) }, store.ErrNoStore, "join a hub first"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t)
			b.permit(1, 1)
			b.st.Close()
			tc.damage(b)
			before := b.list()
			st, err := openDir(b.dir, b.options())
			if err == nil {
				st.Close()
				t.Fatal("it opens")
			}
			if tc.is != nil && !errors.Is(err, tc.is) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("error: %v", err)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one sentence: %q", err)
			}
			if after := b.list(); after != before {
				t.Errorf("files were changed:\n%s\n%s", before, after)
			}
		})
	}
}

func (b *bench) list() string {
	files, _ := os.ReadDir(b.path(""))
	var names []string
	for _, f := range files {
		whole, _ := os.ReadFile(b.path(f.Name()))
		names = append(names, f.Name(), string(whole))
	}
	return strings.Join(names, "\n")
}

func TestTwoDaemonsOnOneStore(t *testing.T) {
	b := newBench(t)
	if _, err := openDir(b.dir, b.options()); !errors.Is(err, store.ErrInUse) {
		t.Errorf("a second opening: %v", err)
	}
}

func TestCreateNeverOverwrites(t *testing.T) {
	b := newBench(t)
	slot, err := keyslot.OpenFile(b.key(), b.rand)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Create(b.path(""), slot, testID, b.options()); err == nil {
		t.Error("a second store was created over the first")
	}
}

// Records that cannot be trusted are set aside; the terminal starts at sequence 0 with its own keys, so that the hub
// can fill it again without a new joining.
func TestDoubtfulRecordsAreSetAside(t *testing.T) {
	for _, tc := range []struct {
		name   string
		damage func(t *testing.T, b *bench)
	}{
		{"cut off", func(t *testing.T, b *bench) { os.Truncate(b.path("records.db"), 3*4096) }},
		{"cut off in the middle", func(t *testing.T, b *bench) { os.Truncate(b.path("records.db"), 20000) }},
		{"emptied", func(t *testing.T, b *bench) { os.Truncate(b.path("records.db"), 0) }},
		{"missing", func(t *testing.T, b *bench) { os.Remove(b.path("records.db")) }},
		{"no database", func(t *testing.T, b *bench) {
			writeFile(t, b.path("records.db"), []byte(strings.Repeat("not a database ", 9000)))
		}},
		{"pages of noise", func(t *testing.T, b *bench) {
			noise := make([]byte, 20*4096)
			b.rand.Read(noise)
			patch(t, b.path("records.db"), 2*4096, noise)
		}},
		{"a sealed value changed", func(t *testing.T, b *bench) {
			b.records(func(tx *bbolt.Tx) error {
				k, v := tx.Bucket([]byte("fingers")).Cursor().First()
				v = append([]byte(nil), v...)
				v[40] ^= 1
				return tx.Bucket([]byte("fingers")).Put(k, v)
			})
		}},
		{"a template moved to another subject", func(t *testing.T, b *bench) {
			b.records(func(tx *bbolt.Tx) error {
				f := tx.Bucket([]byte("fingers"))
				_, v := f.Cursor().First()
				last, _ := f.Cursor().Last()
				return f.Put(last, append([]byte(nil), v...))
			})
		}},
		{"an old key table put back", func(t *testing.T, b *bench) {
			old, _ := os.ReadFile(b.path("keytable"))
			b.st = b.open(b.dir)
			b.permit(1, 0)
			b.st.Close()
			writeFile(t, b.path("keytable"), old)
		}},
		{"an old copy put back", func(t *testing.T, b *bench) {
			old, _ := os.ReadFile(b.path("records.db"))
			b.st = b.open(b.dir)
			b.permit(1, 0)
			b.st.Close()
			writeFile(t, b.path("records.db"), old)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t)
			b.permit(3, 2)
			if err := b.st.SetSecrets(map[string][]byte{"pepper": []byte("salt and")}); err != nil {
				t.Fatal(err)
			}
			key := b.st.VerifierKey()
			b.st.Close()
			tc.damage(t, b)
			b.st = b.open(b.dir)

			if seq, head := b.st.Applied(); seq != 0 || len(head) != 0 {
				t.Errorf("it stands at sequence %d", seq)
			}
			pepper, err := b.st.Secret("pepper")
			if err != nil || string(pepper) != "salt and" || b.st.VerifierKey() != key {
				t.Errorf("the terminal's own keys are lost: %v", err)
			}
			aside, _ := filepath.Glob(b.path("records.db.aside-*"))
			if want := tc.name != "missing"; (len(aside) == 1) != want || (len(b.st.Warnings()) == 1) != want {
				t.Errorf("set aside: %v, warnings: %v", aside, b.st.Warnings())
			}
			if v := b.st.Check(); len(v) != 0 {
				t.Errorf("violations: %v", v)
			}
			b.permit(2, 2)
			if len(held(t, b.st)) != 2 {
				t.Error("it cannot be filled again")
			}
		})
	}
}

func TestSetAsideMakesRoomForANewJoining(t *testing.T) {
	b := newBench(t)
	b.permit(1, 1)
	b.st.Close()
	names, err := store.SetAside(b.path(""), b.options())
	if err != nil || len(names) != 3 {
		t.Fatalf("set aside %v: %v", names, err)
	}
	slot, err := keyslot.OpenFile(b.key(), b.rand)
	if err != nil {
		t.Fatal(err)
	}
	if b.st, err = store.Create(b.path(""), slot, testID, b.options()); err != nil {
		t.Fatal(err)
	}
	wantSound(t, b.st)
}

// A failing key slot stops a wipe half-way, and the next call completes it; the subject stays out in the meantime.
func TestWipeIsTakenUpAgainAfterAFault(t *testing.T) {
	for _, operation := range []string{"next", "retire"} {
		t.Run(operation, func(t *testing.T) {
			b := newBench(t)
			broken := false
			slot := &keyslot.Memory{Rand: b.rand, Fault: func(op string) error {
				if broken && op == operation {
					return errors.New("no answer")
				}
				return nil
			}}
			var err error
			b.st.Close()
			if b.st, err = store.Create(filepath.Join(b.dir, "second"), slot, testID, b.options()); err != nil {
				t.Fatal(err)
			}
			ids := b.permit(2, 3)
			broken = true
			seq, _ := b.st.Applied()
			if _, err := b.st.Apply(withdrawals(seq, ids[:1]), seq+1, nil); err == nil {
				t.Fatal("a wipe without a key slot was acknowledged")
			}
			if got := held(t, b.st); len(got[ids[0]]) != 0 || len(got) != 1 {
				t.Errorf("after the fault %d subjects are yielded", len(got))
			}
			if err := b.st.PutTemplates([]store.TemplateRecord{{Subject: ids[1], Finger: 9, Data: b.template()}}); err == nil {
				t.Error("the store goes on writing over an unfinished wipe")
			}
			broken = false
			receipts, err := b.st.Apply(withdrawals(seq, ids[:1]), seq+1, nil)
			if err != nil || len(receipts) != 1 || receipts[0].Event.Count != 3 {
				t.Errorf("the second try: %v, %d receipts", err, len(receipts))
			}
			wantSound(t, b.st)
		})
	}
}

func TestApplyRefusesWhatIsOutOfBounds(t *testing.T) {
	b := newBench(t)
	id := b.subject()
	for name, c := range map[string]store.Change{
		"no subject":         {Seq: 1},
		"sequence above":     {Seq: 9, Subject: id},
		"sequence zero":      {Subject: id},
		"photo too large":    {Seq: 1, Subject: id, Person: &store.Person{Photo: make([]byte, store.MaxPhoto+1)}},
		"index too short":    {Seq: 1, Subject: id, Person: &store.Person{PINIndex: []byte{1}}},
		"end without a date": {Seq: 1, Subject: id, Standing: store.Standing{Ends: []consent.End{{Row: "D3"}}}},
		"subject of newline": {Seq: 1, Subject: consent.SubjectID("p_\n")},
	} {
		if _, err := b.st.Apply([]store.Change{c}, 1, nil); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if seq, _ := b.st.Applied(); seq != 0 {
		t.Error("a refused batch has moved the sequence")
	}
}

// A value that is no decision counts as a no (I4).
func TestI4UnknownNeverPermits(t *testing.T) {
	b := newBench(t)
	id := b.subject()
	b.apply([]store.Change{{Seq: 1, Subject: id, Standing: store.Standing{Decision: consent.Permit + 7}}}, 1)
	for _, subject := range []consent.SubjectID{id, b.subject()} {
		err := b.st.PutTemplates([]store.TemplateRecord{{Subject: subject, Finger: 2, Data: b.template()}})
		if !errors.Is(err, store.ErrNotPermitted) {
			t.Errorf("kept without a consent: %v", err)
		}
	}
	// An entry that is older than what is known, or known already, changes nothing.
	b.apply([]store.Change{{Seq: 2, Subject: id, Standing: store.Standing{Decision: consent.Erase}}}, 2)
	b.apply([]store.Change{{Seq: 1, Subject: id, Standing: store.Standing{Decision: consent.Permit}}}, 3)
	b.apply([]store.Change{{Seq: 2, Subject: id, Standing: store.Standing{Decision: consent.Permit}}}, 2)
	if d, _ := b.st.Decision(id, b.now); d != consent.Erase {
		t.Errorf("a replayed entry permits: %s", d)
	}
}

// A log that was changed on the card behind the program's back is noticed by the check at boot and every hour (I5).
func TestI5CheckNoticesAChangedLogInTheStore(t *testing.T) {
	const records, hashes = "audit.records", "audit.hashes"
	for name, tc := range map[string]struct {
		bucket string
		damage func(*bbolt.Bucket) error
	}{
		"a record changed":    {records, flipFirst},
		"a record gone":       {records, func(b *bbolt.Bucket) error { k, _ := b.Cursor().First(); return b.Delete(k) }},
		"two records swapped": {records, swapFirstTwo},
		"a hash changed":      {hashes, flipFirst},
		"a hash too many": {hashes, func(b *bbolt.Bucket) error {
			return b.Put([]byte("\xff\xff\xff\xff\xff\xff\xff\xff"), make([]byte, 32))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.permit(1, 1)
			b.st.Close()
			b.records(func(tx *bbolt.Tx) error { return tc.damage(tx.Bucket([]byte(tc.bucket))) })
			st, err := openDir(b.dir, b.options())
			if err != nil {
				return // noticed before anything was served
			}
			defer st.Close()
			for _, v := range st.Check() {
				if v.Invariant == "I5" {
					return
				}
			}
			if len(st.Warnings()) == 0 {
				t.Error("nobody noticed")
			}
		})
	}
}

func flipFirst(b *bbolt.Bucket) error {
	k, v := b.Cursor().First()
	other := append([]byte(nil), v...)
	other[len(other)/2] ^= 1
	return b.Put(k, other)
}

func swapFirstTwo(b *bbolt.Bucket) error {
	c := b.Cursor()
	k1, v1 := c.First()
	k2, v2 := c.Next()
	k1, v1, k2, v2 = append([]byte(nil), k1...), append([]byte(nil), v1...), append([]byte(nil), k2...), append([]byte(nil), v2...)
	return errors.Join(b.Put(k1, v2), b.Put(k2, v1))
}
