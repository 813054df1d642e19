package register

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/google/go-cmp/cmp"
	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/export"
)

// testHub is the hub's half of the register, in memory: the same tlog calls that a real hub makes.
type testHub struct {
	site     string
	key      ed25519.PrivateKey
	signer   note.Signer
	verifier note.Verifier
	entries  [][]byte
	hashes   []tlog.Hash
	now      time.Time
}

func newTestHub(t testing.TB, site string, seed byte) *testHub {
	t.Helper()
	h := &testHub{site: site, key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, 32)), now: time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)}
	var err error
	if h.signer, err = NewSigner(site, h.key); err != nil {
		t.Fatal(err)
	}
	if h.verifier, err = NewVerifier(site, h.key.Public().(ed25519.PublicKey)); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *testHub) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, h.hashes[i])
	}
	return out, nil
}

func (h *testHub) append(t testing.TB, e Entry) {
	t.Helper()
	e.Seq = uint64(len(h.entries)) + 1
	b, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	stored, err := tlog.StoredHashes(int64(len(h.entries)), b, h)
	if err != nil {
		t.Fatal(err)
	}
	h.entries, h.hashes = append(h.entries, b), append(h.hashes, stored...)
}

func (h *testHub) checkpoint(t testing.TB, size uint64) []byte {
	t.Helper()
	root, err := tlog.TreeHash(int64(size), h)
	if err != nil {
		t.Fatal(err)
	}
	c := Checkpoint{Site: h.site, Size: size, Root: root, Time: h.now, Lease: h.now.Add(72 * time.Hour), Head: uint64(len(h.entries))}
	signed, err := c.Sign(h.signer)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func (h *testHub) batch(t testing.TB, after, to uint64) *Batch {
	t.Helper()
	tree, err := TreeAt(after, h)
	if err != nil {
		t.Fatal(err)
	}
	b := &Batch{After: after, Frontier: tree.Frontier, Checkpoint: h.checkpoint(t, to)}
	for _, e := range h.entries[after:to] {
		b.Leaves = append(b.Leaves, Leaf{Entry: e})
	}
	return b
}

func id(n int) consent.SubjectID {
	s, err := consent.NewSubjectID(bytes.NewReader(fmt.Appendf(nil, "%016d", n)))
	if err != nil {
		panic(err)
	}
	return s
}

func standing(n int, d consent.Decision) Entry {
	return Entry{Kind: KindSubject, Subject: &Subject{ID: id(n), Class: consent.Pupil, Decision: d, Reasons: []string{"A1"}}}
}

func filled(t testing.TB, n int) *testHub {
	h := newTestHub(t, "oakfield", 1)
	for i := range n {
		h.append(t, standing(i, consent.Permit))
	}
	return h
}

func wire(t testing.TB, b *Batch) *Batch {
	t.Helper()
	got, err := ParseBatch(b.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestBatchesOfEverySizeVerify(t *testing.T) {
	const n = 19
	h := filled(t, n)
	for after := uint64(0); after <= n; after++ {
		for to := after; to <= n; to++ {
			last, err := OpenCheckpoint(h.checkpoint(t, after), h.site, h.verifier)
			if err != nil {
				t.Fatal(err)
			}
			if after == 0 {
				last = nil
			}
			entries, next, err := wire(t, h.batch(t, after, to)).Verify(h.site, h.verifier, last, false)
			if err != nil {
				t.Fatalf("%d to %d: %v", after, to, err)
			}
			if len(entries) != int(to-after) || next.Size != to || next.Head != n {
				t.Fatalf("%d to %d: %d entries, checkpoint at %d", after, to, len(entries), next.Size)
			}
		}
	}
}

// TestI4NothingUnprovenIsApplied: unsigned, foreign, replayed, cut, reordered, forked or shortened registers are refused, each by name.
func TestI4NothingUnprovenIsApplied(t *testing.T) {
	h := filled(t, 10)
	last, err := OpenCheckpoint(h.checkpoint(t, 6), h.site, h.verifier)
	if err != nil {
		t.Fatal(err)
	}
	other := newTestHub(t, "oakfield", 2)
	foreign := newTestHub(t, "elmwood", 1)
	forked := newTestHub(t, "oakfield", 1)
	for i := range 10 {
		other.append(t, standing(i, consent.Permit))
		foreign.append(t, standing(i, consent.Permit))
		forked.append(t, standing(i+100, consent.Permit))
	}
	older := filled(t, 10)
	older.now = h.now.Add(-time.Hour)
	short := filled(t, 3)
	tests := []struct {
		name string
		want error
		make func() *Batch
	}{
		{"another key", ErrUnsigned, func() *Batch { return other.batch(t, 6, 10) }},
		{"another site", ErrUnsigned, func() *Batch { return foreign.batch(t, 6, 10) }},
		{"no signature", ErrUnsigned, func() *Batch {
			b := h.batch(t, 6, 10)
			b.Checkpoint = bytes.Split(b.Checkpoint, []byte("\n\n"))[0]
			return b
		}},
		{"a changed lease", ErrUnsigned, func() *Batch {
			b := h.batch(t, 6, 10)
			b.Checkpoint = bytes.Replace(b.Checkpoint, []byte("lease 2026"), []byte("lease 2027"), 1)
			return b
		}},
		{"a replay of what is known", ErrSequence, func() *Batch { return h.batch(t, 4, 6) }},
		{"an older empty answer", ErrStale, func() *Batch { return older.batch(t, 6, 6) }},
		{"a gap", ErrSequence, func() *Batch { return h.batch(t, 7, 10) }},
		{"the last entry left out", ErrSequence, func() *Batch { b := h.batch(t, 6, 10); b.Leaves = b.Leaves[:3]; return b }},
		{"an entry twice", ErrSequence, func() *Batch {
			b := h.batch(t, 6, 9)
			b.Leaves = append(b.Leaves, b.Leaves[2])
			b.Checkpoint = h.checkpoint(t, 10)
			return b
		}},
		{"two entries swapped", ErrSequence, func() *Batch { b := h.batch(t, 6, 10); b.Leaves[0], b.Leaves[1] = b.Leaves[1], b.Leaves[0]; return b }},
		{"a revocation elided", ErrSequence, func() *Batch {
			b := h.batch(t, 6, 10)
			b.Leaves[1] = Leaf{Elided: tlog.RecordHash(b.Leaves[1].Entry)}
			return b
		}},
		{"an entry changed", ErrFork, func() *Batch {
			b := h.batch(t, 6, 10)
			e, err := ParseEntry(b.Leaves[0].Entry)
			if err != nil {
				t.Fatal(err)
			}
			e.Subject.Decision = consent.Erase
			if b.Leaves[0].Entry, err = e.Marshal(); err != nil {
				t.Fatal(err)
			}
			return b
		}},
		{"another past, rightly signed", ErrFork, func() *Batch { return forked.batch(t, 6, 10) }},
		{"another past under our frontier", ErrFork, func() *Batch { b := forked.batch(t, 6, 10); b.Frontier = h.batch(t, 6, 6).Frontier; return b }},
		{"a frontier too short", ErrMalformed, func() *Batch { b := h.batch(t, 6, 10); b.Frontier = b.Frontier[:1]; return b }},
		{"a hub restored from an old backup", ErrRollback, func() *Batch { return short.batch(t, 3, 3) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := ParseBatch(tt.make().Marshal())
			if err == nil {
				_, _, err = b.Verify(h.site, h.verifier, last, false)
			}
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	t.Run("cut short at every byte", func(t *testing.T) {
		whole := h.batch(t, 6, 8).Marshal()
		for n := range len(whole) {
			b, err := ParseBatch(whole[:n])
			if err == nil {
				_, _, err = b.Verify(h.site, h.verifier, last, false)
			}
			if err == nil {
				t.Fatalf("accepted when cut to %d of %d bytes", n, len(whole))
			}
		}
	})
}

func TestElidedOnlyWhereAskedFor(t *testing.T) {
	h := filled(t, 8)
	b := h.batch(t, 0, 8)
	b.Leaves[2] = Leaf{Elided: tlog.RecordHash(b.Leaves[2].Entry)}
	entries, next, err := wire(t, b).Verify(h.site, h.verifier, nil, true)
	if err != nil || len(entries) != 7 || next.Size != 8 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	b.Leaves[2].Elided[0]++
	if _, _, err := wire(t, b).Verify(h.site, h.verifier, nil, true); !errors.Is(err, ErrFork) {
		t.Errorf("a wrong hash: got %v", err)
	}
}

func TestTreeAgreesWithTlog(t *testing.T) {
	h := filled(t, 70)
	var grown Tree
	for n := uint64(0); n <= 70; n++ {
		want, err := tlog.TreeHash(int64(n), h)
		if err != nil {
			t.Fatal(err)
		}
		read, err := TreeAt(n, h)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := grown.Root(); err != nil || got != want {
			t.Fatalf("size %d: got %v, %v, want %v", n, got, err, want)
		}
		if n > 0 && !cmp.Equal(read, grown) {
			t.Fatalf("size %d: read %v, grown %v", n, read, grown)
		}
		if n < 70 {
			grown.Append(h.entries[n])
		}
	}
}

func TestEntryRefusals(t *testing.T) {
	good := standing(1, consent.Permit)
	good.Seq = 1
	peer := func(name string) Peer {
		_, public, err := NewSealKey()
		if err != nil {
			t.Fatal(err)
		}
		return Peer{name, make([]byte, 32), public}
	}
	tests := map[string]Entry{
		"no number":         standing(1, consent.Permit),
		"wrong kind":        {Seq: 1, Kind: KindCommand, Subject: good.Subject},
		"two parts":         {Seq: 1, Kind: KindSubject, Subject: good.Subject, Profile: &Profile{}},
		"nothing":           {Seq: 1, Kind: KindSubject},
		"no such command":   {Seq: 1, Kind: KindCommand, Terminal: "t1", Command: &Command{Do: "explode"}},
		"wipe for all":      {Seq: 1, Kind: KindCommand, Command: &Command{Do: Wipe}},
		"terminal twice":    {Seq: 1, Kind: KindTerminals, Terminals: []Peer{peer("t1"), peer("t1")}},
		"called hub":        {Seq: 1, Kind: KindTerminals, Terminals: []Peer{peer("hub")}},
		"leaver permitted":  {Seq: 1, Kind: KindSubject, Subject: &Subject{ID: id(1), Decision: consent.Permit, Leaver: true}},
		"decision unheard":  {Seq: 1, Kind: KindSubject, Subject: &Subject{ID: id(1), Decision: 9}},
		"addressee no name": {Seq: 1, Terminal: "a/b", Kind: KindProfile, Profile: &Profile{}},
	}
	for name, e := range tests {
		if _, err := e.Marshal(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	b, err := good.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{" " + string(b), string(b) + "{}", "{\"kind\":\"subject\",\"seq\":1}", "null", "[]", ""} {
		if _, err := ParseEntry([]byte(s)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: got %v", s, err)
		}
	}
}

func TestPlan(t *testing.T) {
	h := newTestHub(t, "oakfield", 1)
	h.append(t, standing(1, consent.Permit))
	h.append(t, standing(2, consent.Erase))
	h.append(t, standing(3, consent.Pause))
	h.append(t, standing(2, consent.Permit))
	h.append(t, standing(4, consent.Permit))
	h.append(t, standing(4, consent.Erase))
	h.append(t, Entry{Kind: KindCommand, Terminal: "t1", Command: &Command{Do: Block}})
	h.append(t, Entry{Kind: KindCommand, Terminal: "t2", Command: &Command{Do: Wipe}})
	h.append(t, Entry{Kind: KindProfile, Profile: &Profile{School: "Oakfield"}})
	entries, _, err := h.batch(t, 0, 9).Verify(h.site, h.verifier, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	p := NewPlan(entries, "t1")
	if len(p.Commands) != 1 || p.Commands[0].Do != Block || p.Profile.School != "Oakfield" || p.Terminals != nil {
		t.Errorf("got %+v", p)
	}
	if len(p.Erase) != 1 || p.Erase[0].ID != id(2) {
		t.Errorf("a withdrawal followed by a new consent must still erase: %v", p.Erase)
	}
	if len(p.Settle) != 4 || p.Settle[0].ID != id(4) || p.Settle[1].Decision != consent.Pause || p.Settle[3].Decision != consent.Permit {
		t.Errorf("revocations do not come first: %v", p.Settle)
	}
}

func TestLargestBatchIsBounded(t *testing.T) {
	h := filled(t, 3)
	b := h.batch(t, 0, 3)
	for len(b.Leaves) <= MaxEntries {
		b.Leaves = append(b.Leaves, b.Leaves[rand.IntN(3)])
	}
	if _, err := ParseBatch(b.Marshal()); !errors.Is(err, ErrMalformed) {
		t.Errorf("got %v", err)
	}
}

func FuzzParseBatch(f *testing.F) {
	h := filled(f, 7)
	f.Add(h.batch(f, 0, 7).Marshal())
	f.Add(h.batch(f, 3, 7).Marshal())
	b := h.batch(f, 0, 5)
	b.Leaves[1] = Leaf{Elided: tlog.RecordHash(b.Leaves[1].Entry)}
	f.Add(b.Marshal())
	f.Add([]byte("tillprint batch v1\nafter 0\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ParseBatch(data)
		if err != nil {
			return
		}
		entries, next, err := b.Verify("oakfield", h.verifier, nil, true)
		if err != nil {
			return
		}
		if next.Size > 7 || len(entries) > 7 {
			t.Fatal("accepted entries that were never signed")
		}
		for _, e := range entries {
			if want, _ := ParseEntry(h.entries[e.Seq-1]); !cmp.Equal(want, e) {
				t.Fatalf("entry %d is not the one that was signed", e.Seq)
			}
		}
	})
}

func FuzzParseEntry(f *testing.F) {
	h := filled(f, 2)
	h.append(f, Entry{Kind: KindCommand, Terminal: "t1", Command: &Command{Do: Configure, Settings: map[string]string{"b": "<1>", "a": "2"}}})
	h.append(f, Entry{Kind: KindProfile, Profile: &Profile{School: "Oak", Zone: "Europe/London"}})
	for _, e := range h.entries {
		f.Add(e)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := ParseEntry(data)
		if err != nil {
			return
		}
		if again, err := e.Marshal(); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("a second spelling: %s, %v", again, err)
		}
	})
}

// TestAnExportOrderIsWhole: what a terminal may be told to hand out about somebody has an addressee, a confirmation and one recipient.
func TestAnExportOrderIsWhole(t *testing.T) {
	const recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
	order := func(change func(*export.Order)) *Command {
		asked := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		o := export.Order{ID: "x_0123456789abcdef", Subject: "p_aaaaaaaaaaaaaaaaaaaaaaaaaa", Recipient: recipient, Asked: asked, Confirmed: asked.Add(time.Hour)}
		change(&o)
		return &Command{Do: Export, Order: &o}
	}
	good := func(*export.Order) {}
	if _, err := (&Entry{Seq: 1, Kind: KindCommand, Terminal: "t1", Command: order(good)}).Marshal(); err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]Entry{
		"for whoever joins":  {Command: order(good)},
		"no order":           {Terminal: "t1", Command: &Command{Do: Export}},
		"an order to block":  {Terminal: "t1", Command: &Command{Do: Block, Order: order(good).Order}},
		"never confirmed":    {Terminal: "t1", Command: order(func(o *export.Order) { o.Confirmed = o.Asked })},
		"two recipients":     {Terminal: "t1", Command: order(func(o *export.Order) { o.Recipient += "\n" + recipient })},
		"no recipient":       {Terminal: "t1", Command: order(func(o *export.Order) { o.Recipient = "" })},
		"no subject":         {Terminal: "t1", Command: order(func(o *export.Order) { o.Subject = "" })},
		"the requester's id": {Terminal: "t1", Command: order(func(o *export.Order) { o.Identity = "passport 123" })},
	} {
		e.Seq, e.Kind = 1, KindCommand
		if _, err := e.Marshal(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
