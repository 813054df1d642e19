package store_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
)

// I3, H2, H4: nothing of a template, a name, a PIN or a secret stands in a file, in any common spelling.
func TestI3NoFileHoldsAnythingInClear(t *testing.T) {
	b := newBench(t)
	ids := b.permit(5, 2)
	if err := b.st.SetSecrets(map[string][]byte{"pepper": []byte("a pepper of the site")}); err != nil {
		t.Fatal(err)
	}
	if err := b.st.SetSetting("lease", []byte("until further notice")); err != nil {
		t.Fatal(err)
	}
	needles := [][]byte{[]byte("Pupil 1"), []byte("verifier 1"), []byte("a pepper of the site"), []byte("until further notice"), []byte("kind: enrol")}
	for _, data := range held(t, b.st)[ids[2]] {
		needles = append(needles, data[8:40])
	}
	b.withdraw(ids[0])
	b.st.Close()
	err := filepath.WalkDir(b.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		whole, err := os.ReadFile(path)
		for _, n := range needles {
			for _, spelling := range [][]byte{n, []byte(hex.EncodeToString(n)), []byte(base64.StdEncoding.EncodeToString(n))} {
				if bytes.Contains(whole, spelling) {
					t.Errorf("%s holds %.20q in clear", filepath.Base(path), n)
				}
			}
		}
		if info, _ := e.Info(); info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", filepath.Base(path), info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// F4: a name is corrected, a PIN redrawn; an older revision that arrives late changes nothing.
func TestPersonRecordsAreReplacedByRevision(t *testing.T) {
	b := newBench(t)
	id := b.permit(1, 0)[0]
	for i, tc := range []struct {
		revision uint64
		name     string
		want     string
	}{{3, "Anna B", "Anna B"}, {2, "Anne B", "Anna B"}, {3, "Anna Bell", "Anna Bell"}} {
		p := *person(i + 10)
		p.Name, p.Revision = tc.name, tc.revision
		if i == 0 { // with the register entry, as well as alone
			seq, _ := b.st.Applied()
			b.apply([]store.Change{{Seq: seq + 1, Subject: id, Standing: store.Standing{Decision: consent.Permit}, Person: &p}}, seq+1)
		} else if err := b.st.PutPeople([]store.PersonRecord{{Subject: id, Person: p}}); err != nil {
			t.Fatal(err)
		}
		if got, err := b.st.Person(id); err != nil || got.Name != tc.want {
			t.Errorf("after revision %d: %q, %v", tc.revision, got.Name, err)
		}
	}
	if _, _, ok := b.st.FindPIN(person(10).PINIndex); ok {
		t.Error("a replaced PIN is still found")
	}
	if owner, _, ok := b.st.FindPIN(person(12).PINIndex); !ok || owner != id {
		t.Error("the new PIN is not found")
	}
	n := 0
	if err := b.st.People(func(consent.SubjectID, store.Person) bool { n++; return true }); err != nil || n != 1 {
		t.Errorf("%d people, %v", n, err)
	}
}

// Two subjects that swap their PINs in one batch each keep one.
func TestPINsThatSwapOwners(t *testing.T) {
	b := newBench(t)
	ids := b.permit(2, 0)
	var batch []store.PersonRecord
	for i, id := range ids {
		p := *person(1 - i)
		p.Revision = 2
		batch = append(batch, store.PersonRecord{Subject: id, Person: p})
	}
	if err := b.st.PutPeople(batch); err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		if owner, _, ok := b.st.FindPIN(person(1 - i).PINIndex); !ok || owner != id {
			t.Errorf("pupil %d: found %t", i, ok)
		}
	}
}

func TestOutboxOutlivesARestart(t *testing.T) {
	b := newBench(t)
	id := b.permit(1, 1)[0]
	r, err := b.st.Refuse(id, "op-1")
	if err != nil {
		t.Fatal(err)
	}
	b.reopen()
	items, err := b.st.Pending(0)
	if err != nil || len(items) != 2 {
		t.Fatalf("%d items, %v; the enrolment that was not sent yet must be gone (D1)", len(items), err)
	}
	if items[0].Kind != store.ItemRefusal || items[0].Text != "op-1" || items[1].Kind != store.ItemReceipt || items[1].Text != r.Text {
		t.Errorf("queued: %+v", items)
	}
	if err := b.st.Done(items[0].ID, items[1].ID, 999); err != nil {
		t.Fatal(err)
	}
	b.reopen()
	if items, _ := b.st.Pending(0); len(items) != 0 {
		t.Errorf("acknowledged items are still queued: %v", items)
	}
	if id, err := b.st.Enqueue(store.Item{Kind: "note"}); err != nil || id <= items[1].ID {
		t.Errorf("number %d was used before", id)
	}
}

// I5: a receipt can be written again later, against the head of the log as it is then.
func TestI5ReceiptsOfOldWipesStillVerify(t *testing.T) {
	b := newBench(t)
	ids := b.permit(5, 1)
	var records []int64
	for _, id := range ids {
		records = append(records, b.withdraw(id)[0].Record)
	}
	b.reopen()
	for i, n := range records {
		r, err := b.st.Receipt(n)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := audit.VerifyReceipt(r.Text, b.st.VerifierKey()); err != nil || v.Subject != ids[i] {
			t.Errorf("record %d: %v", n, err)
		}
	}
	var kinds []string
	if err := b.st.Events(0, func(_ int64, e audit.Event) bool { kinds = append(kinds, string(e.Kind)); return true }); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(kinds[:7], " "); got != "start enrol enrol enrol enrol enrol wipe" {
		t.Errorf("the log begins %q", got)
	}
}

func TestDestroyedStoreOpensNeverAgain(t *testing.T) {
	b := newBench(t)
	ids := b.permit(2, 2)
	var evicted int
	b.st.OnWipe(func(consent.SubjectID) { evicted++ })
	if err := b.st.Destroy(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.st.Person(ids[0]); err == nil || evicted != 2 {
		t.Errorf("a destroyed store answers; %d evicted", evicted)
	}
	if err := b.st.Append(audit.Event{Kind: audit.Stop}); err == nil {
		t.Error("a destroyed store writes")
	}
	if _, err := openDir(b.dir, b.options()); err == nil {
		t.Error("a destroyed store opens")
	}
}

// filled is a store of n templates, four of each subject, on the real file system.
func filled(b *testing.B, templates int) (*bench, []consent.SubjectID) {
	s := newBenchIn(b, b.TempDir())
	return s, s.permit(templates/4, 4)
}

// compute is the processor time of this process so far: what an operation costs without waiting for the disk.
func compute(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkWipeOne(b *testing.B) {
	s, ids := filled(b, 10_000)
	var spent time.Duration
	for i := 0; b.Loop(); i++ {
		if i == len(ids) {
			b.Fatal("too few subjects")
		}
		before := compute(b)
		s.withdraw(ids[i])
		spent += compute(b) - before
	}
	b.ReportMetric(spent.Seconds()*1e3/float64(b.N), "compute-ms/op")
}

func BenchmarkWipe200Leavers(b *testing.B) {
	s, ids := filled(b, 10_000)
	var spent time.Duration
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		if (i+1)*200 > len(ids) {
			ids, i = s.permit(2500, 4), 0
		}
		seq, _ := s.st.Applied()
		changes := withdrawals(seq, ids[i*200:][:200])
		for j := range changes {
			changes[j].Leaver = true
		}
		b.StartTimer()
		before := compute(b)
		s.apply(changes, seq+200)
		spent += compute(b) - before
	}
	b.ReportMetric(spent.Seconds()*1e3/float64(b.N), "compute-ms/op")
}

func BenchmarkOpen(b *testing.B) {
	s, _ := filled(b, 10_000)
	for b.Loop() {
		s.reopen()
	}
}

func BenchmarkFillSchool(b *testing.B) {
	for b.Loop() {
		s := newBenchIn(b, b.TempDir())
		s.permit(1200, 2)
	}
}
