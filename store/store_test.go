package store_test

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/keyslot"
)

var (
	testID  = store.Identity{Site: "st-mary", Terminal: "till-1"}
	testDay = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

// bench is a store on disk with its surroundings; reopen is what a restart of the daemon does.
type bench struct {
	t    testing.TB
	dir  string
	rand *rand.ChaCha8
	now  time.Time
	step func(string)
	st   *store.Store

	oldKey, oldRow []byte // a row as it was before
}

func newBench(t testing.TB) *bench { return newBenchIn(t, scratch(t)) }

func newBenchIn(t testing.TB, dir string) *bench {
	b := &bench{t: t, dir: dir, rand: rand.NewChaCha8([32]byte{1}), now: testDay}
	slot, err := keyslot.CreateFile(b.key(), b.rand)
	if err != nil {
		t.Fatal(err)
	}
	if b.st, err = store.Create(filepath.Join(b.dir, "store"), slot, testID, b.options()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.st.Close() })
	return b
}

// scratch is a folder in memory where there is one: the tests sync thousands of times.
func scratch(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "tillprint-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (b *bench) key() string { return filepath.Join(b.dir, "root.key") }

func (b *bench) options() store.Options {
	return store.Options{Rand: b.rand, Now: func() time.Time { return b.now }, Timeout: 50 * time.Millisecond,
		OnStep: func(step string) {
			if b.step != nil {
				b.step(step)
			}
		}}
}

// openDir opens a store folder, which may be a copy, as a fresh process would.
func openDir(dir string, o store.Options) (*store.Store, error) {
	slot, err := keyslot.OpenFile(filepath.Join(dir, "root.key"), o.Rand)
	if err != nil {
		return nil, err
	}
	return store.Open(filepath.Join(dir, "store"), slot, testID, o)
}

func (b *bench) reopen() {
	b.t.Helper()
	if err := b.st.Close(); err != nil {
		b.t.Fatal(err)
	}
	var err error
	if b.st, err = openDir(b.dir, b.options()); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) subject() consent.SubjectID {
	id, err := consent.NewSubjectID(b.rand)
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

// permit lets n new subjects in at the next sequence, each with a person, and enrols per templates of each.
func (b *bench) permit(n, per int) []consent.SubjectID {
	b.t.Helper()
	seq, _ := b.st.Applied()
	var changes []store.Change
	var records []store.TemplateRecord
	var ids []consent.SubjectID
	for i := range n {
		id := b.subject()
		ids = append(ids, id)
		seq++
		changes = append(changes, store.Change{Seq: seq, Subject: id, Standing: store.Standing{Decision: consent.Permit, Reasons: []string{"A1"}}, Person: person(i)})
		for f := range per {
			records = append(records, store.TemplateRecord{Subject: id, Finger: uint8(2 + f/3), Data: b.template(), Enrolled: b.now})
		}
	}
	b.apply(changes, seq)
	if err := b.st.PutTemplates(records); err != nil {
		b.t.Fatal(err)
	}
	return ids
}

func person(i int) *store.Person {
	return &store.Person{Name: fmt.Sprintf("Pupil %d", i), Form: "8B", Class: consent.Pupil, PINIndex: bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 16),
		PINVerifier: fmt.Sprintf("verifier %d", i), Revision: 1}
}

func (b *bench) template() []byte {
	data := make([]byte, 400)
	b.rand.Read(data)
	return data
}

func (b *bench) apply(changes []store.Change, seq uint64) []store.Receipt {
	b.t.Helper()
	receipts, err := b.st.Apply(changes, seq, []byte(fmt.Sprint("head ", seq)))
	if err != nil {
		b.t.Fatal(err)
	}
	return receipts
}

func (b *bench) withdraw(ids ...consent.SubjectID) []store.Receipt {
	b.t.Helper()
	seq, _ := b.st.Applied()
	return b.apply(withdrawals(seq, ids), seq+uint64(len(ids)))
}

func withdrawals(seq uint64, ids []consent.SubjectID) (changes []store.Change) {
	for _, id := range ids {
		seq++
		changes = append(changes, store.Change{Seq: seq, Subject: id, Standing: store.Standing{Decision: consent.Erase, Reasons: []string{"A12"}}})
	}
	return changes
}

// held lists the templates that are yielded for matching.
func held(t testing.TB, st *store.Store) map[consent.SubjectID][][]byte {
	t.Helper()
	m := map[consent.SubjectID][][]byte{}
	err := st.EachTemplate(func(r store.TemplateRecord) error {
		m[r.Subject] = append(m[r.Subject], bytes.Clone(r.Data))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func wantSound(t testing.TB, st *store.Store) {
	t.Helper()
	for _, v := range st.Check() {
		t.Errorf("%s is broken: %s", v.Invariant, v.Text)
	}
	for _, w := range st.Warnings() {
		t.Errorf("warning: %s", w)
	}
}

func TestWithdrawalWipesFingersAndKeepsThePIN(t *testing.T) {
	b := newBench(t)
	ids := b.permit(3, 6)
	before := held(t, b.st)
	receipts := b.withdraw(ids[1])

	if len(receipts) != 1 {
		t.Fatalf("%d receipts", len(receipts))
	}
	r, err := audit.VerifyReceipt(receipts[0].Text, b.st.VerifierKey())
	if err != nil {
		t.Fatalf("the receipt does not verify: %v\n%s", err, receipts[0].Text)
	}
	if r.Subject != ids[1] || r.Event.Count != 6 || r.Event.Row != "A12" || r.Event.Epoch != 2 || r.Event.Seq != 4 {
		t.Errorf("receipt says %+v", r.Event)
	}
	for range 2 {
		after := held(t, b.st)
		if len(after[ids[1]]) != 0 || len(after) != 2 || !bytes.Equal(after[ids[0]][5], before[ids[0]][5]) {
			t.Errorf("held after the wipe: %d subjects", len(after))
		}
		if id, verifier, ok := b.st.FindPIN(person(1).PINIndex); !ok || id != ids[1] || verifier != "verifier 1" {
			t.Errorf("the PIN of a withdrawn pupil finds %q, %q, %t", id, verifier, ok)
		}
		if seq, head := b.st.Applied(); seq != 4 || string(head) != "head 4" {
			t.Errorf("applied %d, %q", seq, head)
		}
		wantSound(t, b.st)
		b.reopen()
	}
}

// A seed that came from elsewhere is the terminal's key, and one of the wrong length makes no store.
func TestSeedIsTheSigningKey(t *testing.T) {
	seed := bytes.Repeat([]byte{7}, ed25519.SeedSize)
	random := rand.NewChaCha8([32]byte{3})
	s, err := store.Create(t.TempDir(), &keyslot.Memory{Rand: random}, testID, store.Options{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if key, err := s.SigningKey(); err != nil || !key.Equal(ed25519.NewKeyFromSeed(seed)) {
		t.Errorf("another key, %v", err)
	}
	if _, err := store.Create(t.TempDir(), &keyslot.Memory{Rand: random}, testID, store.Options{Seed: seed[1:]}); err == nil {
		t.Error("31 bytes were taken for a seed")
	}
}
