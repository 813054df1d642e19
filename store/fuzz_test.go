package store

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tillprint/tillprint/consent"
)

// FuzzParseTable reads the clear text of a key table, which only a holder of the root key could forge.
func FuzzParseTable(f *testing.F) {
	rand := rand.NewChaCha8([32]byte{7})
	id, _ := consent.NewSubjectID(rand)
	none := &table{secrets: map[string][]byte{}}
	full, err := none.with(edit{epoch: 3, seq: 9, checkpoint: []byte("head"), secrets: map[string][]byte{"a": []byte("b")},
		needFinger: map[consent.SubjectID]bool{id: true}}, rand)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bytes.Clone(full.plain))
	f.Add(bytes.Clone(full.plain[:50]))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		parsed, err := parseTable(b)
		if err != nil {
			return
		}
		again, err := parsed.with(parsed.unchanged(), rand)
		if err != nil {
			return // larger than this program writes
		}
		defer again.page.release()
		if again.seq != parsed.seq || len(again.keys) != len(parsed.keys) {
			t.Errorf("%d keys at %d became %d at %d", len(parsed.keys), parsed.seq, len(again.keys), again.seq)
		}
	})
}

func FuzzDecodeTemplate(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x65\x00\x00\x00\x02t1data"))
	f.Add([]byte("\x00\x00\x00\x00\x65\x00\x00\x00\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeTemplate(b)
		if err == nil && (len(r.Data) == 0 || len(r.Data)+len(r.From)+templateHeader != len(b)) {
			t.Errorf("%d bytes gave %d of data", len(b), len(r.Data))
		}
	})
}

// FuzzOpenSealed feeds bytes as they could stand on a card to the opener: nothing that seal did not make opens.
func FuzzOpenSealed(f *testing.F) {
	key := make([]byte, dataKeySize)
	id := Identity{"s", "t"}
	whole, err := seal(rand.NewChaCha8([32]byte{8}), key, []byte("clear text"), id.binding("x"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[:30])
	f.Fuzz(func(t *testing.T, b []byte) {
		if plain, err := open(nil, key, b, id.binding("x")); err == nil && !bytes.Equal(b, whole) {
			t.Errorf("%x opens as %q", b, plain)
		}
	})
}

// Bindings of different parts never coincide, however the parts are cut.
func TestBindingsDiffer(t *testing.T) {
	id := Identity{"s", "t"}
	seen := map[string]bool{}
	for _, parts := range [][]string{{}, {""}, {"a", "b"}, {"ab"}, {"ab", ""}, {"", "ab"}, {"a\x01b"}, {"a", "b", ""}} {
		b := string(id.binding("record", parts...))
		if seen[b] {
			t.Errorf("%q is bound as another list is", parts)
		}
		seen[b] = true
	}
	if string(Identity{"st", ""}.binding("x")) == string(Identity{"s", "t"}.binding("x")) {
		t.Error("two terminals share a binding")
	}
}

// I3: the page that a template was opened into is clean as soon as the callback has returned.
func TestI3PagesAreClearedAfterUse(t *testing.T) {
	p := newPage(5000)
	defer p.release()
	s := &Store{id: Identity{"s", "t"}, o: Options{Rand: rand.NewChaCha8([32]byte{9})}}
	id, _ := consent.NewSubjectID(s.o.Rand)
	none := &table{secrets: map[string][]byte{}}
	var err error
	if s.table, err = none.with(edit{epoch: 1, needFinger: map[consent.SubjectID]bool{id: true}}, s.o.Rand); err != nil {
		t.Fatal(err)
	}
	defer s.table.page.release()
	sealed, err := s.sealTemplate(TemplateRecord{Subject: id, Finger: 2, Data: []byte("ridge ending"), Enrolled: time.Unix(1, 0)}, 0)
	if err != nil {
		t.Fatal(err)
	}
	inside := false
	err = s.openTemplate(p, id, 2, 0, sealed, func(r TemplateRecord) error {
		inside = string(r.Data) == "ridge ending" && bytes.Contains(p.b, r.Data)
		return nil
	})
	if err != nil || !inside {
		t.Errorf("the template was not opened inside the page: %v", err)
	}
	if !bytes.Equal(p.b, make([]byte, len(p.b))) {
		t.Error("the page still holds the template")
	}
	old := s.table.page.b
	s.table.page.release()
	if s.table.page.b != nil || old == nil {
		t.Error("the page of the keys was not given back")
	}
}

// FuzzSalvage reads a damaged database as it may come from a card.
func FuzzSalvage(f *testing.F) {
	page := make([]byte, 4096)
	page[8], page[10] = leafPage, 2
	copy(page[pageHeader:], []byte{0, 0, 0, 0, 32, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0})
	copy(page[pageHeader+pageElement:], []byte{1, 0, 0, 0, 64, 0, 0, 0, 4, 0, 0, 0, 48, 0, 0, 0})
	f.Add(page)
	f.Add(page[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		eachLeaf(bytes.NewReader(b), func(k, v []byte) {
			if len(k)+len(v) > len(b) {
				t.Errorf("%d bytes of key and value in a file of %d", len(k)+len(v), len(b))
			}
		})
	})
}
