package store

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/crashtest"
)

// windows are the secrets that a search looks for: the 16 bytes at every offset of each. So whatever is left of a secret is
// found down to a piece of 16 bytes, wherever it lies. Shorter pieces go unseen; secrets here are random, and 16 bytes of one
// stand nowhere by chance.
type windows struct {
	all map[[window]byte]bool
	may []uint64 // one bit for each hash of a window: most positions of an image end here
}

const (
	window     = 16
	windowBits = 25
)

func newWindows() windows {
	return windows{map[[window]byte]bool{}, make([]uint64, 1<<windowBits/64)}
}

// add takes one secret, which may be a place of a key file that is empty.
func (w windows) add(secret []byte) {
	if bytes.Equal(secret, make([]byte, len(secret))) {
		return
	}
	for i := 0; i+window <= len(secret); i++ {
		piece := [window]byte(secret[i:])
		h := windowHash(piece[:])
		w.all[piece], w.may[h/64] = true, w.may[h/64]|1<<(h%64)
	}
}

// addPlaces takes the two places of a key file, of which one is empty.
func (w windows) addPlaces(seeds []byte) {
	w.add(seeds[:len(seeds)/2])
	w.add(seeds[len(seeds)/2:])
}

func windowHash(piece []byte) uint64 {
	return binary.LittleEndian.Uint64(piece) * 0x9e3779b97f4a7c15 >> (64 - windowBits)
}

// in counts the windows that stand somewhere in raw.
func (w windows) in(raw []byte) (found int) {
	for i := 0; i+window <= len(raw); i++ {
		if h := windowHash(raw[i:]); w.may[h/64]>>(h%64)&1 != 0 && w.all[[window]byte(raw[i:])] {
			found++
		}
	}
	return found
}

// Any 16 bytes of a secret are found wherever they lie, and 15 are not.
func TestForensicSearchFindsShortPieces(t *testing.T) {
	secret, raw := make([]byte, 100), make([]byte, 500)
	rand.NewChaCha8([32]byte{7}).Read(secret)
	w := newWindows()
	w.add(secret)
	w.add(make([]byte, 100))
	for _, length := range []int{window - 1, window, window + 5} {
		for from := 0; from+length <= len(secret); from++ {
			clear(raw)
			copy(raw[1+3*from:], secret[from:][:length])
			if n := w.in(raw); n != max(0, length-window+1) {
				t.Fatalf("of %d bytes from %d, %d windows were found", length, from, n)
			}
		}
	}
}

// laboratory keeps what the examiner of a card knows beforehand: everything that has been wiped.
type laboratory struct {
	t      *testing.T
	card   *crashtest.Image
	c      *canteen
	plain  map[consent.SubjectID][]byte // templates in clear
	gone   windows                      // clear templates, data keys, root keys of the past and the seeds that they came from
	dead   map[string]bool              // data keys of the past
	tables [][]byte                     // every key table of the past
}

// enrol gives subjects two templates each and keeps what is in them.
func (l *laboratory) enrol(numbers ...int) {
	l.t.Helper()
	err := l.c.enrol("", 2, numbers...)
	if err == nil {
		err = l.c.st.EachTemplate(func(r TemplateRecord) error {
			if !bytes.Contains(l.plain[r.Subject], r.Data) {
				l.plain[r.Subject] = append(l.plain[r.Subject], r.Data...)
			}
			return nil
		})
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

// wipe runs f and notes what it destroys.
func (l *laboratory) wipe(f func() error) {
	l.t.Helper()
	s := l.c.st
	before, seeds, root := dataKeys(s.table), l.file("root.key")[4096:], bytes.Clone(s.root.b)
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
	l.gone.add(root)
	l.gone.addPlaces(seeds)
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
	present := newWindows()
	present.addPlaces(l.file("root.key")[4096:])
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
		l.t.Errorf("%s: %d windows of what was wiped stand in the image", what, n)
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
	l.t.Logf("%s: %d windows searched, %d dead keys tried on %d old tables, %d served by PIN", what, len(l.gone.all), len(l.dead), len(l.tables), served)
}

func pinOf(n int) []byte { return bytes.Repeat([]byte{byte(n), byte(n >> 8)}, 16) }

// A withdrawal, 200 withdrawals, 200 leavers, everybody else and a school that gives fingers up: with the raw card and the terminal's present keys nothing
// of what was wiped can be found or opened, and who has withdrawn still eats by PIN.
func TestForensicNothingWipedIsFoundOnTheCard(t *testing.T) {
	const pupils = 2000
	l := &laboratory{t: t, card: needCard(t), plain: map[consent.SubjectID][]byte{}, gone: newWindows(), dead: map[string]bool{}}
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
	l.enrol(span(0, pupils)...)
	leave := func(_ int, ch *Change) { ch.Leaver = true }
	l.wipe(func() error { return c.apply(consent.Erase, nil, 7) })
	l.examine("one withdrawal", pupils, pupils)
	l.wipe(func() error { return c.apply(consent.Erase, nil, span(100, 300)...) })
	l.examine("200 withdrawals", pupils, pupils)
	l.wipe(func() error { return c.apply(consent.Erase, leave, span(1800, pupils)...) })
	l.examine("200 leavers", pupils-200, pupils)
	everybody := append(append(span(0, 7), span(8, 100)...), span(300, 1800)...)
	l.wipe(func() error { return c.apply(consent.Erase, nil, everybody...) })
	l.examine("everybody else withdraws", pupils-200, pupils)
	if err := c.apply(consent.Permit, nil, span(0, 300)...); err != nil {
		t.Fatal(err)
	}
	l.enrol(span(0, 300)...)
	l.wipe(func() error { _, err := c.st.WipeAll("A16"); return err })
	l.examine("the school gives fingers up", pupils-200, pupils)
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
	w := newWindows()
	w.add(secret)
	if n := w.in(raw); n == 0 {
		t.Error("the search does not find a template that was only deleted")
	} else {
		t.Logf("%d windows of a deleted template stand in the image", n)
	}
}
