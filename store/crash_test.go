package store_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
)

// cut is the disk as a power cut after a step would leave it.
type cut struct{ step, dir string }

// cuts runs op and copies the folder before it and after each durable step.
func (b *bench) cuts(op func()) []cut {
	b.t.Helper()
	all := []cut{{"before", b.copyDir()}}
	b.step = func(step string) { all = append(all, cut{step, b.copyDir()}) }
	op()
	b.step = nil
	return all
}

func (b *bench) copyDir() string { return copyOf(b.t, b.dir) }

func copyOf(t testing.TB, dir string) string {
	t.Helper()
	to := scratch(t)
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	// CopyFS keeps only the x bits of modes.
	if err := os.Chmod(filepath.Join(to, "root.key"), 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

func (b *bench) open(dir string) *store.Store {
	b.t.Helper()
	o := b.options()
	o.OnStep = nil
	st, err := openDir(dir, o)
	if err != nil {
		b.t.Fatalf("opening: %v", err)
	}
	b.t.Cleanup(func() { st.Close() })
	return st
}

func steps(cuts []cut) (names []string) {
	for _, c := range cuts {
		names = append(names, c.step)
	}
	return names
}

func receiptsFor(t *testing.T, st *store.Store, id consent.SubjectID) (found []audit.Receipt) {
	t.Helper()
	items, err := st.Pending(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		if it.Kind == store.ItemReceipt && it.Subject == id {
			r, err := audit.VerifyReceipt(it.Text, st.VerifierKey())
			if err != nil {
				t.Errorf("a queued receipt does not verify: %v", err)
			}
			found = append(found, r)
		}
	}
	return found
}

// A withdrawal that has become durable is completed by the next start, exactly once, wherever the power went; before
// that, nothing has happened.
func TestI2WipeIsCompletedAfterACutAtEachStep(t *testing.T) {
	b := newBench(t)
	ids := b.permit(3, 6)
	stays := held(t, b.st)[ids[0]]
	cuts := b.cuts(func() { b.withdraw(ids[1]) })
	want := []string{"before", store.StepPending, store.StepSlot, store.StepTable, store.StepRetired, store.StepDone}
	if diff := cmp.Diff(want, steps(cuts)); diff != "" {
		t.Fatalf("the crash order of a wipe (-want +got):\n%s", diff)
	}
	for _, c := range cuts {
		t.Run(c.step, func(t *testing.T) {
			for range 2 { // what the first start has mended the second finds in order
				st := b.open(c.dir)
				wantSound(t, st)
				got := held(t, st)
				if !slices.EqualFunc(got[ids[0]], stays, bytes.Equal) {
					t.Errorf("another subject's templates have changed")
				}
				if _, _, ok := st.FindPIN(person(1).PINIndex); !ok {
					t.Error("the PIN is lost")
				}
				wantOneRootKey(t, c.dir)
				seq, _ := st.Applied()
				receipts := receiptsFor(t, st, ids[1])
				if c.step == "before" {
					if len(got[ids[1]]) != 6 || seq != 3 || len(receipts) != 0 {
						t.Errorf("before the wipe: %d templates, sequence %d, %d receipts", len(got[ids[1]]), seq, len(receipts))
					}
				} else if len(got[ids[1]]) != 0 || st.HasFingerKey(ids[1]) || seq != 4 || len(receipts) != 1 || receipts[0].Event.Count != 6 {
					t.Errorf("after the cut: %d templates, sequence %d, %d receipts", len(got[ids[1]]), seq, len(receipts))
				}
				st.Close()
			}
		})
	}
}

// wantOneRootKey looks into the key file: of its two places one is empty.
func wantOneRootKey(t *testing.T, dir string) {
	t.Helper()
	whole, err := os.ReadFile(filepath.Join(dir, "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	nothing := make([]byte, 16384)
	if bytes.Equal(whole[4096:][:16384], nothing) == bytes.Equal(whole[4096+16384:], nothing) {
		t.Error("the key file does not hold exactly one root key")
	}
}

// The records are lost together with the note of the pending wipe: the old root key dies all the same.
func TestI2OldRootKeyDiesWithoutTheRecords(t *testing.T) {
	b := newBench(t)
	ids := b.permit(2, 2)
	for _, c := range b.cuts(func() { b.withdraw(ids[0]) }) {
		if err := os.Remove(filepath.Join(c.dir, "store", "records.db")); err != nil {
			t.Fatal(err)
		}
		st := b.open(c.dir)
		wantOneRootKey(t, c.dir)
		committed := c.step == store.StepTable || c.step == store.StepRetired || c.step == store.StepDone
		if st.HasFingerKey(ids[0]) == committed {
			t.Errorf("cut at %s: the finger key is there: %t", c.step, !committed)
		}
	}
}

// Whoever holds templates in memory is told before anything is written.
func TestI1EvictionIsAskedForFirst(t *testing.T) {
	b := newBench(t)
	ids := b.permit(4, 1)
	var told []consent.SubjectID
	b.st.OnWipe(func(id consent.SubjectID) { told = append(told, id) })
	b.step = func(step string) {
		if len(told) == 0 {
			t.Errorf("at %s nobody has been told", step)
		}
	}
	b.withdraw(ids[0])
	if _, err := b.st.Refuse(ids[1], "op-1"); err != nil {
		t.Fatal(err)
	}
	told = told[:2]
	if _, err := b.st.WipeAll("A16"); err != nil {
		t.Fatal(err)
	}
	slices.Sort(ids[2:]) // WipeAll goes in the order of pseudonyms
	if diff := cmp.Diff(ids, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// A cut in the middle of writing a file, rather than between two steps.
func TestI2HalfWrittenFilesDoNoHarm(t *testing.T) {
	for _, tc := range []struct {
		name, step string
		damage     func(t *testing.T, dir string)
	}{
		{"next root key torn", store.StepPending, func(t *testing.T, dir string) {
			patch(t, filepath.Join(dir, "root.key"), 4096, bytes.Repeat([]byte{0x5a}, 5000)) // epoch 2 lives in the first place
		}},
		{"next table half written", store.StepSlot, func(t *testing.T, dir string) {
			whole, err := os.ReadFile(filepath.Join(dir, "store", "keytable"))
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join(dir, "store", "keytable.new"), whole[:len(whole)/2])
		}},
		{"old root key half overwritten", store.StepTable, func(t *testing.T, dir string) {
			patch(t, filepath.Join(dir, "root.key"), 4096+16384, make([]byte, 9000))
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t)
			ids := b.permit(2, 2)
			for _, c := range b.cuts(func() { b.withdraw(ids[0]) }) {
				if c.step != tc.step {
					continue
				}
				tc.damage(t, c.dir)
				st := b.open(c.dir)
				wantSound(t, st)
				if got := held(t, st); len(got) != 1 || len(got[ids[1]]) != 2 || len(receiptsFor(t, st, ids[0])) != 1 {
					t.Errorf("held after the cut: %d subjects", len(got))
				}
			}
		})
	}
}

// What was sealed under a root key that a wipe has replaced cannot be opened with the keys that the terminal has now.
func TestI2NoWipedKeyComesBack(t *testing.T) {
	b := newBench(t)
	ids := b.permit(2, 2)
	old := b.copyDir()
	b.withdraw(ids[0])
	b.st.Close()
	for _, name := range []string{"keytable", "records.db"} { // the card's old files, the present key file
		whole, err := os.ReadFile(filepath.Join(old, "store", name))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(b.dir, "store", name), whole)
	}
	if _, err := openDir(b.dir, b.options()); err == nil {
		t.Fatal("a card that was set back to before the wipe opens with the present key file")
	}
	seed, err := os.ReadFile(filepath.Join(old, "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	now, err := os.ReadFile(b.key())
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+32 <= 16384; i += 32 { // epoch 1 lives in the second place
		if window := seed[4096+16384+i:][:32]; bytes.Contains(now, window) {
			t.Fatalf("the key file still holds bytes of the old key at %d", i)
		}
	}
}

// Each write that was acknowledged is there after a cut, and one that was not has no half effect.
func TestI2NothingAcknowledgedIsLost(t *testing.T) {
	b := newBench(t)
	ids := b.permit(2, 2)
	operations := []struct {
		name string
		op   func()
		done func(st *store.Store) bool
	}{
		{"enrol", func() {
			if err := b.st.PutTemplates([]store.TemplateRecord{{Subject: ids[0], Finger: 7, Data: b.template(), Enrolled: b.now}}); err != nil {
				t.Fatal(err)
			}
		}, func(st *store.Store) bool { return len(held(t, st)[ids[0]]) == 3 }},
		{"setting", func() {
			if err := b.st.SetSetting("x", []byte("y")); err != nil {
				t.Fatal(err)
			}
		}, func(st *store.Store) bool { v, _ := st.Setting("x"); return string(v) == "y" }},
		{"secret", func() {
			if err := b.st.SetSecrets(map[string][]byte{"pepper": []byte("p")}); err != nil {
				t.Fatal(err)
			}
		}, func(st *store.Store) bool { v, _ := st.Secret("pepper"); return string(v) == "p" }},
		{"queue", func() {
			if _, err := b.st.Enqueue(store.Item{Kind: "note"}); err != nil {
				t.Fatal(err)
			}
		}, func(st *store.Store) bool {
			items, _ := st.Pending(0)
			return slices.ContainsFunc(items, func(it store.Item) bool { return it.Kind == "note" })
		}},
		{"refuse", func() {
			if _, err := b.st.Refuse(ids[0], "op-1"); err != nil {
				t.Fatal(err)
			}
		}, func(st *store.Store) bool {
			s, _ := st.Standing(ids[0])
			return s.Refused && len(held(t, st)[ids[0]]) == 0 && len(receiptsFor(t, st, ids[0])) == 1
		}},
		{"people", func() {
			p := *person(1)
			p.Revision, p.PINIndex = 2, bytes.Repeat([]byte{9}, 32)
			if err := b.st.PutPeople([]store.PersonRecord{{Subject: ids[1], Person: p}}); err != nil {
				t.Fatal(err)
			}
		}, func(st *store.Store) bool {
			_, _, moved := st.FindPIN(bytes.Repeat([]byte{9}, 32))
			_, _, old := st.FindPIN(person(1).PINIndex)
			return moved && !old
		}},
	}
	for _, o := range operations {
		for i, c := range b.cuts(o.op) {
			st := b.open(c.dir)
			wantSound(t, st)
			// Keys for a newcomer come before the operation itself; every other step is the operation.
			want := i > 0 && (c.step != store.StepKeys || o.name == "secret")
			if got := o.done(st); got != want {
				t.Errorf("%s, cut at %s: done is %t, want %t", o.name, c.step, got, want)
			}
			st.Close()
		}
	}
}

// A cut during the very first start leaves nothing, or a store.
func TestI2CutWhileCreating(t *testing.T) {
	b := newBench(t)
	b.st.Close()
	if err := os.Remove(filepath.Join(b.dir, "store", "records.db")); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(b.dir, "store", "records.db.new"), []byte("half a database"))
	b.st = b.open(b.dir)
	wantSound(t, b.st)
	b.permit(1, 1)
}

func patch(t *testing.T, path string, at int64, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteAt(b, at)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func writeFile(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Two hundred leavers cost one rotation and lose everything that could open.
func TestLeaversLoseFingersAndPersonInOneRotation(t *testing.T) {
	b := newBench(t)
	ids := b.permit(20, 2)
	epoch := b.st.Epoch()
	seq, _ := b.st.Applied()
	var changes []store.Change
	for _, id := range ids[:15] {
		seq++
		changes = append(changes, store.Change{Seq: seq, Subject: id, Leaver: true, Standing: store.Standing{Reasons: []string{"D3"}}})
	}
	receipts := b.apply(changes, seq)
	if len(receipts) != 15 || b.st.Epoch() != epoch+1 {
		t.Errorf("%d receipts, %d rotations", len(receipts), b.st.Epoch()-epoch)
	}
	if want := []string{"gallery", "key", "records", "person"}; !slices.Equal(receipts[3].Event.Places, want) {
		t.Errorf("places cleared: %v", receipts[3].Event.Places)
	}
	b.reopen()
	for i, id := range ids {
		_, err := b.st.Person(id)
		_, _, pin := b.st.FindPIN(person(i).PINIndex)
		if gone := i < 15; errors.Is(err, store.ErrNotFound) != gone || pin == gone {
			t.Errorf("pupil %d: %v, PIN found: %t", i, err, pin)
		}
	}
	// D7: a late feed that still brings the leaver's records neither revives the person nor enrols them.
	late := store.PersonRecord{Subject: ids[0], Person: *person(0)}
	if err := b.st.PutPeople([]store.PersonRecord{late}); err != nil {
		t.Error(err)
	}
	if _, err := b.st.Person(ids[0]); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a late person record was kept: %v", err)
	}
	err := b.st.PutTemplates([]store.TemplateRecord{{Subject: ids[0], Finger: 2, Data: b.template(), From: "till-2"}})
	if !errors.Is(err, store.ErrNotPermitted) {
		t.Errorf("a late template was kept: %v", err)
	}
	wantSound(t, b.st)
}
