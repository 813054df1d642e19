package audit_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
)

var (
	at      = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	subject = consent.SubjectID("p_abcdefghijklmnopqrstuvwxya")
)

// newLog is a log in a fresh database, whose records are sealed as a store seals them.
func newLog(t testing.TB, terminal string) (db *bbolt.DB, l *audit.Log, key string) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "log.db"), 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	private, key, err := note.GenerateKey(rand.NewChaCha8([32]byte{3}), audit.Origin("st-mary", terminal))
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := chacha20poly1305.NewX(make([]byte, chacha20poly1305.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	nonce := func(n int64) []byte { return binary.BigEndian.AppendUint64(make([]byte, 16), uint64(n)) }
	update(t, db, audit.Init)
	return db, &audit.Log{Signer: signer,
		Seal: func(n int64, text []byte) ([]byte, error) { return aead.Seal(nil, nonce(n), text, nil), nil },
		Open: func(n int64, sealed []byte) ([]byte, error) { return aead.Open(nil, nonce(n), sealed, nil) },
	}, key
}

func update(t testing.TB, db *bbolt.DB, f func(*bbolt.Tx) error) {
	t.Helper()
	if err := db.Update(f); err != nil {
		t.Fatal(err)
	}
}

var wipe = audit.Event{Kind: audit.Wipe, At: at, Subject: subject, Row: "A12", Seq: 412, Epoch: 7, Count: 6, Places: []string{"gallery", "key", "records"}}

// receipt gives the receipt of a wipe in a log of n records.
func receipt(t testing.TB, terminal string, n int) (text, key string) {
	t.Helper()
	db, l, key := newLog(t, terminal)
	update(t, db, func(tx *bbolt.Tx) error {
		for i := range n {
			e := audit.Event{Kind: audit.Match, At: at, Route: "finger", Band: audit.Clear, Limit: "40"}
			if i == n/2 {
				e = wipe
			}
			if _, err := l.Append(tx, e); err != nil {
				return err
			}
		}
		r, err := l.Receipt(tx, "st-mary", terminal, int64(n/2))
		text = r.Text
		return err
	})
	return text, key
}

func TestI5EveryReceiptVerifies(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7, 8, 9, 100} {
		text, key := receipt(t, "till-1", n)
		r, err := audit.VerifyReceipt(text, key+"\n")
		if err != nil {
			t.Errorf("a log of %d: %v\n%s", n, err, text)
		}
		if diff := cmp.Diff(wipe, r.Event); diff != "" || r.Record != int64(n/2) || r.Site != "st-mary" || r.Terminal != "till-1" {
			t.Errorf("a log of %d gives %+v\n%s", n, r, diff)
		}
	}
}

// Every byte of a receipt is changed in turn: none goes unnoticed, and the error says which part it was.
func TestI5EveryChangedByteIsNoticed(t *testing.T) {
	text, key := receipt(t, "till-1", 9)
	sections := []struct {
		title string
		want  []error
	}{
		{"Tillprint wipe receipt", []error{audit.ErrFormat}},
		{"\nSite", []error{audit.ErrHeader, audit.ErrFormat, audit.ErrProof}}, // its log record is part of the proof
		{"\nAudit record", []error{audit.ErrRecord, audit.ErrFormat}},
		{"\nHash of the record", []error{audit.ErrRecord, audit.ErrProof, audit.ErrFormat}},
		{"\nSigned head", []error{audit.ErrCheckpoint, audit.ErrSigner, audit.ErrFormat}},
	}
	at := -1
	for i := range len(text) {
		for at+1 < len(sections) && strings.HasPrefix(text[i:], sections[at+1].title) {
			at++
		}
		for _, bit := range []byte{0x01, 0x20, 0x80} {
			b := []byte(text)
			b[i] ^= bit
			r, err := audit.VerifyReceipt(string(b), key)
			if err == nil {
				t.Fatalf("byte %d, %q for %q, goes unnoticed", i, b[i], text[i])
			}
			if r.Text != "" {
				t.Fatalf("byte %d: a receipt is returned beside the error", i)
			}
			if !isOneOf(err, sections[at].want) {
				t.Errorf("byte %d in %q: %v", i, sections[at].title, err)
			}
		}
	}
}

func isOneOf(err error, want []error) bool {
	for _, w := range want {
		if errors.Is(err, w) {
			return true
		}
	}
	return false
}

// wantTampering wants exactly one of the things that can be wrong with a log.
func wantTampering(t *testing.T, what string, err, want error) {
	t.Helper()
	for _, kind := range []error{audit.ErrLogRecord, audit.ErrLogHash, audit.ErrLogPruned} {
		if errors.Is(err, kind) != (kind == want) {
			t.Errorf("%s: found %v, want %v alone", what, err, want)
		}
	}
}

// Tampering as a person would do it, each told apart.
func TestI5KindsOfTampering(t *testing.T) {
	text, key := receipt(t, "till-1", 9)
	other, otherKey := receipt(t, "till-2", 12)
	tail := func(s string) string { return s[strings.Index(s, "\nSigned head"):] }
	for _, tc := range []struct {
		name, text, key string
		want            error
	}{
		{"readable count", strings.Replace(text, "Templates removed: 6", "Templates removed: 0", 1), key, audit.ErrHeader},
		{"readable site", strings.Replace(text, "Site: st-mary", "Site: st-paul", 1), key, audit.ErrHeader},
		{"record", strings.Replace(text, "count: 6", "count: 9", 1), key, audit.ErrRecord},
		{"log record number", strings.Replace(text, "Log record: 4", "Log record: 5", 1), key, audit.ErrProof},
		{"log record beyond", strings.Replace(text, "Log record: 4", "Log record: 99", 1), key, audit.ErrHeader},
		{"record and its line", strings.NewReplacer("count: 6", "count: 9", "Templates removed: 6", "Templates removed: 9").Replace(text), key, audit.ErrRecord},
		{"checkpoint size", strings.Replace(text, "till-1\n9\n", "till-1\n8\n", 1), key, audit.ErrCheckpoint},
		{"another terminal's checkpoint", strings.Replace(text, tail(text), tail(other), 1), key, audit.ErrSigner},
		{"another terminal's key", text, otherKey, audit.ErrSigner},
		{"no key", text, "till-1", audit.ErrKey},
		{"cut off", text[:len(text)/2], key, audit.ErrFormat},
		{"something added", text + "\n", key, audit.ErrCheckpoint},
		{"windows line ends", strings.ReplaceAll(text, "\n", "\r\n"), key, audit.ErrFormat},
		{"empty", "", key, audit.ErrFormat},
		{"a shopping list", "milk\neggs\n", key, audit.ErrFormat},
		{"very long", text + strings.Repeat("x", 1<<20), key, audit.ErrFormat},
	} {
		if tc.text == text && tc.key == key {
			t.Fatalf("%s: nothing was changed", tc.name)
		}
		if _, err := audit.VerifyReceipt(tc.text, tc.key); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", tc.name, err, tc.want)
		}
	}
}

func TestI5CheckNoticesAChangedLog(t *testing.T) {
	for name, damage := range map[string]func(records, hashes *bbolt.Bucket) error{
		"record changed": func(r, _ *bbolt.Bucket) error {
			k, v := r.Cursor().Last()
			v = bytes.Clone(v)
			v[len(v)-3] ^= 1
			return r.Put(k, v)
		},
		"record cut out": func(r, _ *bbolt.Bucket) error { k, _ := r.Cursor().First(); return r.Delete(k) },
		"last record cut off": func(r, _ *bbolt.Bucket) error {
			k, _ := r.Cursor().Last()
			return r.Delete(k)
		},
		"hash changed": func(_, h *bbolt.Bucket) error { k, _ := h.Cursor().First(); return h.Put(k, make([]byte, 32)) },
		"hash missing": func(_, h *bbolt.Bucket) error { k, _ := h.Cursor().First(); return h.Delete(k) },
	} {
		db, l, _ := newLog(t, "till-1")
		update(t, db, func(tx *bbolt.Tx) error {
			_, err := l.Append(tx, wipe, wipe, wipe, wipe, wipe)
			_, broken := l.Check(tx)
			return errors.Join(err, broken)
		})
		update(t, db, func(tx *bbolt.Tx) error {
			return damage(tx.Bucket([]byte("audit.records")), tx.Bucket([]byte("audit.hashes")))
		})
		if err := db.View(func(tx *bbolt.Tx) error { _, err := l.Check(tx); return err }); err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}

func TestReceiptIsForWipesOnly(t *testing.T) {
	db, l, _ := newLog(t, "till-1")
	update(t, db, func(tx *bbolt.Tx) error {
		_, err := l.Append(tx, audit.Event{Kind: audit.Start, At: at})
		return err
	})
	for n := range int64(2) {
		err := db.View(func(tx *bbolt.Tx) error { _, err := l.Receipt(tx, "st-mary", "till-1", n); return err })
		if err == nil {
			t.Errorf("a receipt for record %d", n)
		}
	}
}

// F7 and H2: what could name a person, or carry a sentence, has no place in the log.
func TestEventsHoldNoSentences(t *testing.T) {
	for _, e := range []audit.Event{
		{Kind: "gossip", At: at},
		{Kind: audit.Operator, At: at, Operator: "Mrs Smith"},
		{Kind: audit.Operator, At: at, Action: "line\nkind: wipe"},
		{Kind: audit.Match, At: at, Band: "0.731"},
		{Kind: audit.Match, At: at, Subject: "Anna"},
		{Kind: audit.Wipe, At: at, Places: []string{"a b"}},
		{Kind: audit.Wipe, At: at, Count: -1},
		{Kind: audit.Start, At: time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)},
		{Kind: audit.Start, At: at, Row: strings.Repeat("A", 65)},
	} {
		if text, err := e.Text(); err == nil {
			t.Errorf("accepted: %q", text)
		}
	}
}

func TestBandOf(t *testing.T) {
	for _, tc := range []struct {
		score float64
		want  audit.Band
	}{{0, audit.Far}, {19, audit.Far}, {20, audit.Near}, {39.9, audit.Near}, {40, audit.Clear}, {80, audit.Strong}} {
		if got := audit.BandOf(tc.score, 40); got != tc.want {
			t.Errorf("score %g is %s, want %s", tc.score, got, tc.want)
		}
	}
}

func TestEventTextReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.StringMatching(`([A-Za-z0-9._:/()+-]{1,64})?`)
		e := audit.Event{
			Kind:     rapid.SampledFrom([]audit.Kind{audit.Start, audit.Match, audit.Wipe, audit.KeyEvent}).Draw(t, "kind"),
			At:       time.Unix(rapid.Int64Range(0, 1<<35).Draw(t, "at"), 0).UTC(),
			Subject:  rapid.SampledFrom([]consent.SubjectID{"", subject}).Draw(t, "subject"),
			Row:      w.Draw(t, "row"),
			Operator: w.Draw(t, "operator"),
			Limit:    w.Draw(t, "limit"),
			Band:     rapid.SampledFrom([]audit.Band{"", audit.Far, audit.Strong}).Draw(t, "band"),
			Seq:      rapid.Uint64().Draw(t, "seq"),
			Count:    rapid.IntRange(0, 1<<30).Draw(t, "count"),
		}
		text, err := e.Text()
		if err != nil {
			t.Fatal(err)
		}
		back, err := audit.ParseEvent(text)
		if diff := cmp.Diff(e, back); err != nil || diff != "" {
			t.Fatalf("%v\n%s", err, diff)
		}
	})
}

func FuzzVerifyReceipt(f *testing.F) {
	text, key := receipt(f, "till-1", 9)
	f.Add(text)
	f.Add(strings.Replace(text, "6", "7", 1))
	f.Add("Tillprint wipe receipt 1\n\nAudit record:\n\nHash of the record and proof that the log holds it:\n\nSigned head of the log:\n")
	f.Fuzz(func(t *testing.T, changed string) {
		if _, err := audit.VerifyReceipt(changed, key); err == nil && changed != text {
			t.Errorf("accepted:\n%s", changed)
		}
	})
}

func FuzzParseEvent(f *testing.F) {
	text, _ := wipe.Text()
	f.Add(text)
	f.Add("kind: start\ntime: 2026-11-23T12:00:00Z\n")
	f.Fuzz(func(t *testing.T, text string) {
		e, err := audit.ParseEvent(text)
		if err != nil {
			return
		}
		if back, err := e.Text(); err != nil || back != text {
			t.Errorf("%q reads as %+v and writes as %q, %v", text, e, back, err)
		}
	})
}

func ExampleVerifyReceipt() {
	_, err := audit.VerifyReceipt("milk, eggs", "tillprint/st-mary/till-1+0bad0bad+AQ==")
	fmt.Println(err)
	// Output: receipt: the verifier key is not one: it looks like name+hash+base64
}
