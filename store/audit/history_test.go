package audit_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tillprint/tillprint/store/audit"
)

var seen = time.Date(2026, 11, 23, 12, 40, 0, 0, time.UTC)

// witness is a hub's key.
func witness(t testing.TB) (note.Signer, string) {
	t.Helper()
	key := ed25519.NewKeyFromSeed([]byte("the seed of a hub's signing key."))
	return audit.NewCosigner(key, seen), audit.CosignKey(key.Public().(ed25519.PublicKey))
}

// grown is a log of n records whose heads at some sizes are countersigned.
type grown struct {
	key, hub string
	heads    map[int64]string
	proofs   map[[2]int64]tlog.TreeProof
}

func grow(t testing.TB, n int64, what string) grown {
	t.Helper()
	db, l, key := newLog(t, "till-1")
	signer, hub := witness(t)
	g := grown{key, hub, map[int64]string{}, map[[2]int64]tlog.TreeProof{}}
	for i := range n {
		update(t, db, func(tx *bbolt.Tx) error {
			_, err := l.Append(tx, audit.Event{Kind: audit.Operator, At: at, Action: fmt.Sprintf("%s-%d", what, i)})
			if err != nil {
				return err
			}
			for from := range i + 2 {
				head, proof, err := l.Head(tx, from)
				if err != nil {
					return err
				}
				g.proofs[[2]int64{from, i + 1}] = proof
				if g.heads[i+1], err = audit.Countersign(head, key, signer); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g
}

func (g grown) history(from, to int64) string {
	return audit.History(g.heads[from], g.proofs[[2]int64{from, to}], g.heads[to])
}

func TestI5EveryHistoryVerifies(t *testing.T) {
	g := grow(t, 12, "a")
	for to := int64(1); to <= 12; to++ {
		for from := int64(1); from <= to; from++ {
			earlier, later, err := audit.VerifyHistory(g.history(from, to), g.key, g.hub)
			if err != nil || earlier.Size != from || later.Size != to || !earlier.Seen.Equal(seen) || !later.Seen.Equal(seen) {
				t.Errorf("%d to %d: %v, %v, %v", from, to, earlier, later, err)
			}
		}
	}
}

// A log that was rewritten, cut or taken back is told from one that has grown.
func TestH17AnotherHistoryIsNoticed(t *testing.T) {
	a, b := grow(t, 9, "a"), grow(t, 9, "b")
	for name, text := range map[string]string{
		"rewritten": audit.History(a.heads[4], b.proofs[[2]int64{4, 9}], b.heads[9]),
		"cut":       audit.History(a.heads[9], a.proofs[[2]int64{4, 9}], a.heads[4]),
		"no proof":  audit.History(a.heads[4], nil, a.heads[9]),
		"replaced":  audit.History(a.heads[9], a.proofs[[2]int64{9, 9}], b.heads[9]),
	} {
		if _, _, err := audit.VerifyHistory(text, a.key, a.hub); !errors.Is(err, audit.ErrRewound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every byte of a history is changed in turn.
func TestI5EveryChangedByteOfAHistoryIsNoticed(t *testing.T) {
	g := grow(t, 7, "a")
	text := g.history(3, 7)
	sections := []struct {
		title string
		want  []error
	}{
		{"Tillprint log history", []error{audit.ErrFormat}},
		{"\nEarlier head", []error{audit.ErrCheckpoint, audit.ErrSigner, audit.ErrFormat}},
		{"\nProof that", []error{audit.ErrProof, audit.ErrRewound, audit.ErrFormat, audit.ErrCheckpoint}}, // without its title it belongs to the head before
		{"\nLater head", []error{audit.ErrCheckpoint, audit.ErrSigner, audit.ErrFormat, audit.ErrProof}},
	}
	part := -1
	for i := range len(text) {
		for part+1 < len(sections) && strings.HasPrefix(text[i:], sections[part+1].title) {
			part++
		}
		for _, bit := range []byte{0x01, 0x20, 0x80} {
			b := []byte(text)
			b[i] ^= bit
			_, _, err := audit.VerifyHistory(string(b), g.key, g.hub)
			if err == nil {
				t.Fatalf("byte %d, %q for %q, goes unnoticed", i, b[i], text[i])
			}
			if !isOneOf(err, sections[part].want) {
				t.Errorf("byte %d in %q: %v", i, sections[part].title, err)
			}
		}
	}
}

// A hub that is not the one whose key is at hand has not countersigned.
func TestHistoryNeedsBothSignatures(t *testing.T) {
	g := grow(t, 2, "a")
	other := audit.CosignKey(ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey))
	for _, keys := range [][2]string{{g.key, other}, {g.hub, g.key}, {g.key, g.key}} {
		if _, _, err := audit.VerifyHistory(g.history(1, 2), keys[0], keys[1]); err == nil {
			t.Errorf("verified with %v", keys)
		}
	}
	if _, _, err := audit.VerifyHistory(g.history(1, 2), "nonsense", g.hub); !errors.Is(err, audit.ErrKey) {
		t.Errorf("nonsense for a key: %v", err)
	}
}

// everyKind is a record of each kind, with the fields that the program gives it.
var everyKind = []audit.Event{
	{Kind: audit.Start, At: at, Action: "open", Seq: 412, Epoch: 7},
	{Kind: audit.Enrol, At: at, Subject: subject, Action: "captured", Seq: 412, Epoch: 7, Count: 6},
	{Kind: audit.Match, At: at, Subject: subject, Operator: "op-1", Route: "finger", Band: audit.Strong, Limit: "41.25", Seq: 412, Epoch: 7},
	{Kind: audit.Refusal, At: at, Subject: subject, Row: "A3", Operator: "op-1", Seq: 412, Epoch: 7},
	wipe,
	{Kind: audit.Command, At: at, Action: "block", Seq: 413, Epoch: 7},
	{Kind: audit.Operator, At: at, Operator: "op-1", Action: "not-them", Band: audit.Clear, Limit: "41.25", Seq: 413, Epoch: 7},
	{Kind: audit.KeyEvent, At: at, Row: "H16", Action: "lost", Seq: 413, Epoch: 7},
	{Kind: audit.Fault, At: at, Operator: "op-1", Action: "same-picture-twice", Seq: 413, Epoch: 7},
	{Kind: audit.Pruned, At: at, Row: "D4", Seq: 413, Epoch: 7, Count: 2000},
	{Kind: audit.Stop, At: at, Action: "close", Seq: 413, Epoch: 7},
}

// Every byte of the log itself, records of every kind and hashes, is changed in turn: the hourly check notices each and tells which it was (I5).
func TestI5EveryChangedByteOfTheLogIsNoticed(t *testing.T) {
	db, l, _ := newLog(t, "till-1")
	update(t, db, func(tx *bbolt.Tx) error {
		_, err := l.Append(tx, everyKind...)
		return err
	})
	type place struct {
		bucket, key string
		at          int
	}
	var places []place
	update(t, db, func(tx *bbolt.Tx) error {
		for _, bucket := range []string{"audit.records", "audit.hashes"} {
			err := tx.Bucket([]byte(bucket)).ForEach(func(k, v []byte) error {
				for i := range v {
					places = append(places, place{bucket, string(k), i})
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	undo := errors.New("undo")
	want := map[string]error{"audit.records": audit.ErrLogRecord, "audit.hashes": audit.ErrLogHash}
	for _, p := range places {
		err := db.Update(func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte(p.bucket))
			v := []byte(string(b.Get([]byte(p.key))))
			v[p.at] ^= 1
			if err := b.Put([]byte(p.key), v); err != nil {
				return err
			}
			_, err := l.Check(tx)
			wantTampering(t, fmt.Sprintf("byte %d of %x in %s", p.at, p.key, p.bucket), err, want[p.bucket])
			return undo
		})
		if !errors.Is(err, undo) {
			t.Fatal(err)
		}
	}
	if len(places) < 1500 {
		t.Errorf("only %d bytes were tried", len(places))
	}
}

func FuzzVerifyHistory(f *testing.F) {
	g := grow(f, 5, "a")
	f.Add(g.history(2, 5))
	f.Add("Tillprint log history 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		if _, _, err := audit.VerifyHistory(text, g.key, g.hub); err == nil && text != g.history(2, 5) {
			t.Errorf("another history verifies: %q", text)
		}
	})
}
