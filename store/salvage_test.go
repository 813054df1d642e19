package store_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
)

// unsent is a store with an alert, a receipt and a refusal that the hub has not been told of.
func unsent(t *testing.T) (b *bench, refused, withdrawn consent.SubjectID) {
	b = newBench(t)
	ids := b.permit(40, 2)
	withdrawn, refused = ids[0], ids[1]
	b.withdraw(withdrawn)
	if _, err := b.st.Refuse(refused, "op-1"); err != nil {
		t.Fatal(err)
	}
	for _, it := range []store.Item{{Kind: "alert", Text: "The pad rests."}, {Kind: "people", Text: "[]", Refetched: true}} {
		if _, err := b.st.Enqueue(it); err != nil {
			t.Fatal(err)
		}
	}
	return b, refused, withdrawn
}

// What the hub has not been told yet, and a pupil's no, outlive records that cannot be trusted.
func TestUnsentIsTakenOutOfWhatIsSetAside(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, path string){
		"both heads": func(t *testing.T, path string) { patch(t, path, 0, make([]byte, 8192)) },
		"a page of the tree": func(t *testing.T, path string) {
			b := readAll(t, path)
			for at := 2 * 4096; at+4096 <= len(b); at += 4096 {
				if binary.NativeEndian.Uint16(b[at+8:]) == 1 { // a branch
					patch(t, path, int64(at), make([]byte, 4096))
				}
			}
			patch(t, path, 4096+16, make([]byte, 64))
			patch(t, path, 16, make([]byte, 64))
		},
		"an old copy": func(t *testing.T, path string) {}, // the key table has gone on; see below
		"set aside already, then a cut": func(t *testing.T, path string) {
			if err := os.Rename(path, path+".aside-20261123T120000Z"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, refused, withdrawn := unsent(t)
			before, err := b.st.Pending(0)
			if err != nil {
				t.Fatal(err)
			}
			key := b.st.VerifierKey()
			b.st.Close()
			records := readAll(t, b.path("records.db"))
			if name == "an old copy" {
				b.st = b.open(b.dir)
				seq, _ := b.st.Applied()
				b.apply(nil, seq+1)
				b.st.Close()
				writeFile(t, b.path("records.db"), records)
			}
			damage(t, b.path("records.db"))
			b.st = b.open(b.dir)
			if seq, _ := b.st.Applied(); seq != 0 {
				t.Fatalf("nothing was set aside: sequence %d", seq)
			}
			after, err := b.st.Pending(0)
			if err != nil {
				t.Fatal(err)
			}
			wantUnsent(t, before, after)
			for _, it := range after {
				if it.Kind == store.ItemReceipt {
					if _, err := audit.VerifyReceipt(it.Text, key); err != nil {
						t.Errorf("a receipt that was taken over: %v", err)
					}
				}
			}
			// The hub fills it again, and knows nothing of the refusal yet.
			b.apply([]store.Change{{Seq: 1, Subject: refused, Standing: store.Standing{Decision: consent.Permit}},
				{Seq: 2, Subject: withdrawn, Standing: store.Standing{Decision: consent.Permit}}}, 2)
			if d, _ := b.st.Decision(refused, b.now); d != consent.Erase {
				t.Error("the refusal is forgotten (A3, I9)")
			}
			if d, _ := b.st.Decision(withdrawn, b.now); d != consent.Permit {
				t.Error("more than refusals is remembered")
			}
			if id, err := b.st.Enqueue(store.Item{Kind: "note"}); err != nil || id <= before[len(before)-1].ID-1 {
				t.Errorf("number %d was used before", id)
			}
			if v := b.st.Check(); len(v) > 0 {
				t.Errorf("violations: %v", v)
			}
		})
	}
}

func wantUnsent(t *testing.T, before, after []store.Item) {
	t.Helper()
	there := map[uint64]store.Item{}
	for _, it := range after {
		there[it.ID] = it
	}
	for _, it := range before {
		got, ok := there[it.ID]
		if want := !it.Refetched && it.Kind != store.ItemShare; ok != want {
			t.Errorf("a %s is there: %t", it.Kind, ok)
		} else if ok && (got.Text != it.Text || got.Subject != it.Subject || !got.At.Equal(it.At)) {
			t.Errorf("%+v became %+v", it, got)
		}
	}
}

func readAll(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Who was served today is known after the records were set aside, once and twice; yesterday's, cash and what is not a lunch stay in the old log.
func TestServedTodayOutlivesTheRecords(t *testing.T) {
	b := newBench(t)
	ids := b.permit(3, 0)
	served := func(subject consent.SubjectID) audit.Event {
		return audit.Event{Kind: audit.Match, Subject: subject, Route: "pin", Operator: "op-1"}
	}
	b.log(served(ids[0]))
	if err := b.st.Clock().Witness(b.now.Add(24 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	b.log(served(ids[1]), served(ids[2]), audit.Event{Kind: audit.Match, Route: "cash"}, served(ids[1]), audit.Event{Kind: audit.Operator, Action: "look"})
	for range 2 {
		b.st.Close()
		patch(t, b.path("records.db"), 0, make([]byte, 8192))
		b.st = b.open(b.dir) // the machine's clock still says yesterday
		if !b.st.Clock().Now().After(b.now.Add(23 * time.Hour)) {
			t.Error("the clock's mark is lost")
		}
		var got []consent.SubjectID
		if err := b.st.Events(0, func(n int64, e audit.Event) bool {
			if e.Kind != audit.Match {
				return true
			}
			got = append(got, e.Subject)
			if want := served(e.Subject); e.Action != audit.TakenOver || e.Route != want.Route || e.Operator != want.Operator || n != int64(len(got)-1) ||
				e.At.Before(b.now.Add(24*time.Hour)) {
				t.Errorf("record %d was taken over as %+v", n, e)
			}
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if want := []consent.SubjectID{ids[1], ids[2], ids[1]}; !slices.Equal(got, want) {
			t.Errorf("served today: %v, want %v", got, want)
		}
		if v := b.st.Check(); len(v) > 0 {
			t.Errorf("violations: %v", v)
		}
	}
}

// A record of the log that was altered, or moved to another number, is not taken over.
func TestOnlyWhatVerifiesIsTakenOver(t *testing.T) {
	b := newBench(t)
	id := b.permit(1, 0)[0]
	for range 4 {
		b.log(audit.Event{Kind: audit.Match, Subject: id, Route: "finger"})
	}
	b.st.Close()
	b.records(func(tx *bbolt.Tx) error {
		log := tx.Bucket([]byte("audit.records"))
		last, sealed := log.Cursor().Last()
		moved, altered := bytes.Clone(sealed), bytes.Clone(sealed)
		altered[len(altered)-1]++
		return errors.Join(log.Put(last, altered), log.Put(binary.BigEndian.AppendUint64(nil, 900), moved))
	})
	patch(t, b.path("records.db"), 0, make([]byte, 8192))
	b.st = b.open(b.dir)
	n := 0
	if err := b.st.Events(0, func(_ int64, e audit.Event) bool {
		if e.Action == audit.TakenOver {
			n++
		}
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if n != 4 { // of the altered one an old page is still there
		t.Errorf("%d of 4 were taken over", n)
	}
}

func (b *bench) log(events ...audit.Event) {
	b.t.Helper()
	if err := b.st.Append(events...); err != nil {
		b.t.Fatal(err)
	}
}

// A refusal whose wipe was cut off, and whose records are lost in the same cut, still destroys the key.
func TestRefusalOutlivesBothTheCutAndTheRecords(t *testing.T) {
	b := newBench(t)
	id := b.permit(1, 2)[0]
	cuts := b.cuts(func() {
		if _, err := b.st.Refuse(id, "op-1"); err != nil {
			t.Fatal(err)
		}
	})
	for _, c := range cuts {
		if c.step == "before" {
			continue
		}
		t.Run(c.step, func(t *testing.T) {
			patch(t, filepath.Join(c.dir, "store", "records.db"), 0, make([]byte, 8192))
			st := b.open(c.dir)
			if st.HasFingerKey(id) {
				t.Error("the key lives")
			}
			if d, _ := st.Decision(id, b.now); d != consent.Erase {
				t.Error("the refusal is forgotten")
			}
		})
	}
}
