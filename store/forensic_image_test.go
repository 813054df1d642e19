package store

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/crashtest"
)

// windows are the secrets that a search looks for: pieces of 32 bytes, by their first eight.
type windows map[uint64][][]byte

const window = 32

// add takes every 32nd piece: a copy of 63 bytes, however it lies, contains one.
func (w windows) add(secret []byte) {
	for ; len(secret) >= window; secret = secret[window:] {
		if piece := secret[:window]; !bytes.Equal(piece, make([]byte, window)) {
			k := binary.LittleEndian.Uint64(piece)
			w[k] = append(w[k], bytes.Clone(piece))
		}
	}
}

// in counts the pieces that stand somewhere in raw.
func (w windows) in(raw []byte) (found int) {
	may := make([]bool, 1<<16) // most positions end here
	for k := range w {
		may[uint16(k)] = true
	}
	for i := 0; i+window <= len(raw); i++ {
		if !may[binary.LittleEndian.Uint16(raw[i:])] {
			continue
		}
		for _, piece := range w[binary.LittleEndian.Uint64(raw[i:])] {
			if bytes.Equal(piece, raw[i:i+window]) {
				found++
			}
		}
	}
	return found
}

// laboratory keeps what the examiner of a card knows beforehand: everything that has been wiped.
type laboratory struct {
	t      *testing.T
	card   *crashtest.Image
	c      *canteen
	plain  map[consent.SubjectID][]byte // templates in clear
	gone   windows                      // clear templates, data keys and root keys of the past
	dead   map[string]bool              // data keys of the past
	tables [][]byte                     // every key table of the past
}

// wipe runs f and notes what it destroys.
func (l *laboratory) wipe(f func() error) {
	l.t.Helper()
	s := l.c.st
	before, root := dataKeys(s.table), l.file("root.key")
	fingers := map[consent.SubjectID]bool{}
	for id, k := range s.table.keys {
		fingers[id] = k.finger != nil
	}
	l.tables = append(l.tables, l.file("store/keytable"))
	begin := time.Now()
	if err := f(); err != nil {
		l.t.Fatal(err)
	}
	l.t.Logf("the wipe took %v", time.Since(begin))
	l.gone.add(root[4096:])
	after := dataKeys(s.table)
	maps.DeleteFunc(before, func(k string, _ bool) bool { return after[k] })
	maps.Copy(l.dead, before)
	for k := range before {
		b, _ := hex.DecodeString(k)
		l.gone.add(b)
	}
	for id := range fingers {
		if fingers[id] && s.table.keys[id].finger == nil {
			l.gone.add(l.plain[id])
		}
	}
}

func (l *laboratory) file(name string) []byte {
	b, err := os.ReadFile(filepath.Join(l.c.dir, name))
	if err != nil {
		l.t.Fatal(err)
	}
	return b
}

// examine takes the card out, searches it, and puts it back.
func (l *laboratory) examine(what string, pins, people int) {
	l.t.Helper()
	present := windows{}
	present.add(l.file("root.key")[4096:])
	keys := reachable(l.c.dir, append(tablesIn(l.t, l.c.dir), l.tables...))
	if err := l.c.st.Close(); err != nil {
		l.t.Fatal(err)
	}
	if err := l.card.Unmount(); err != nil {
		l.t.Fatal(err)
	}
	raw, err := os.ReadFile(l.card.Path)
	if err != nil {
		l.t.Fatal(err)
	}
	if n := l.gone.in(raw); n > 0 {
		l.t.Errorf("%s: %d pieces of what was wiped stand in the image", what, n)
	}
	if present.in(raw) == 0 {
		l.t.Errorf("%s: the search does not even find the present root key", what)
	}
	for k := range keys {
		if l.dead[k] {
			l.t.Errorf("%s: the present root key opens an old table with a dead key", what)
			break
		}
	}
	if err := l.card.Mount(); err != nil {
		l.t.Fatal(err)
	}
	if err := l.c.reopen(); err != nil {
		l.t.Fatal(err)
	}
	served := 0
	for n := range people {
		if id, _, ok := l.c.st.FindPIN(pinOf(n)); ok && id == l.c.ids[n] {
			served++
		}
	}
	if served != pins {
		l.t.Errorf("%s: %d of %d pupils are served by PIN, want %d", what, served, people, pins)
	}
	l.t.Logf("%s: %d pieces searched, %d dead keys tried on %d old tables, %d served by PIN", what, len(l.gone), len(l.dead), len(l.tables), served)
}

func pinOf(n int) []byte { return bytes.Repeat([]byte{byte(n), byte(n >> 8)}, 16) }

// A withdrawal, 200 withdrawals, 200 leavers and everybody: with the raw card and the terminal's present keys nothing
// of what was wiped can be found or opened, and who has withdrawn still eats by PIN.
func TestForensicNothingWipedIsFoundOnTheCard(t *testing.T) {
	const pupils = 2000
	l := &laboratory{t: t, card: needCard(t), plain: map[consent.SubjectID][]byte{}, gone: windows{}, dead: map[string]bool{}}
	c := newCanteen(l.card.Dir, 1)
	l.c = c
	if err := c.create(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.st.Close() }) // before the card is taken out
	for len(c.ids) < pupils {
		id, err := consent.NewSubjectID(c.rand)
		if err != nil {
			t.Fatal(err)
		}
		c.ids = append(c.ids, id)
	}
	err := c.apply(consent.Permit, func(n int, ch *Change) { c.withPerson(n, ch); ch.Person.PINIndex = pinOf(n) }, span(0, pupils)...)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.enrol("", 2, span(0, pupils)...); err != nil {
		t.Fatal(err)
	}
	if err := c.st.EachTemplate(func(r TemplateRecord) error {
		l.plain[r.Subject] = append(l.plain[r.Subject], r.Data...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	leave := func(_ int, ch *Change) { ch.Leaver = true }
	l.wipe(func() error { return c.apply(consent.Erase, nil, 7) })
	l.examine("one withdrawal", pupils, pupils)
	l.wipe(func() error { return c.apply(consent.Erase, nil, span(100, 300)...) })
	l.examine("200 withdrawals", pupils, pupils)
	l.wipe(func() error { return c.apply(consent.Erase, leave, span(1800, pupils)...) })
	l.examine("200 leavers", pupils-200, pupils)
	l.wipe(func() error { _, err := c.st.WipeAll("A16"); return err })
	l.examine("everybody", pupils-200, pupils)
}

// The control: a database that keeps templates in clear and deletes them is caught by the same search.
func TestForensicControlPlainDeleteIsFound(t *testing.T) {
	card := needCard(t)
	c := newCanteen(card.Dir, 1)
	secret := make([]byte, 500)
	c.rand.Read(secret)
	db, err := bbolt.Open(filepath.Join(card.Dir, "plain.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	put := func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte("fingers"))
		if err != nil {
			return err
		}
		return b.Put([]byte("one"), secret)
	}
	for _, f := range []func(*bbolt.Tx) error{put, func(tx *bbolt.Tx) error { return tx.Bucket([]byte("fingers")).Delete([]byte("one")) }} {
		if err := db.Update(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := card.Unmount(); err != nil {
		t.Fatal(err)
	}
	defer card.Mount() // for the clean-up
	raw, err := os.ReadFile(card.Path)
	if err != nil {
		t.Fatal(err)
	}
	w := windows{}
	w.add(secret)
	if n := w.in(raw); n == 0 {
		t.Error("the search does not find a template that was only deleted")
	} else {
		t.Logf("%d pieces of a deleted template stand in the image", n)
	}
}
