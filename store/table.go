package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/tillprint/tillprint/consent"
)

// table is the key table in clear. Everything secret in it lives in its page; the slices below point there.
// A table never changes: with builds the next one.
type table struct {
	page       *page  // nil in tests of the parser
	plain      []byte // the whole clear text, inside page
	epoch      uint64
	seq        uint64 // register sequence that has been applied
	checkpoint []byte // the register's signed head at seq, up to maxCheckpoint bytes
	storeKey   []byte // opens standings, settings, outbox and log; lives as long as the store
	secrets    map[string][]byte
	keys       map[consent.SubjectID]subjectKeys
}

// subjectKeys are the data keys of one subject, each nil when there is none.
type subjectKeys struct{ finger, person []byte }

const (
	dataKeySize   = 32
	subjectIDSize = 28
	maxCheckpoint = 8 << 10
	maxSecrets    = 64
	maxSecret     = 1 << 10
	maxSubjects   = 200_000
)

// edit is what the next table does differently.
type edit struct {
	epoch      uint64
	seq        uint64
	checkpoint []byte
	secrets    map[string][]byte // to set; nil values remove
	needFinger map[consent.SubjectID]bool
	needPerson map[consent.SubjectID]bool
	dropFinger map[consent.SubjectID]bool
	dropPerson map[consent.SubjectID]bool
}

// unchanged is the edit that copies t.
func (t *table) unchanged() edit {
	return edit{epoch: t.epoch, seq: t.seq, checkpoint: t.checkpoint}
}

// keyPlan says, for one key of the next table, whether to copy it or draw it; a key that is neither is absent.
type keyPlan struct {
	old  []byte
	draw bool
}

func (k keyPlan) present() bool { return k.old != nil || k.draw }

func plan(old []byte, need, drop bool) keyPlan {
	if drop {
		old = nil
	}
	return keyPlan{old: old, draw: need && old == nil}
}

// with builds the next table in a fresh page; new keys are drawn straight into it.
func (t *table) with(e edit, rand io.Reader) (*table, error) {
	secrets := maps.Clone(t.secrets)
	maps.Copy(secrets, e.secrets)
	maps.DeleteFunc(secrets, func(_ string, v []byte) bool { return v == nil })

	ids := make(map[consent.SubjectID]bool, len(t.keys)+len(e.needFinger)+len(e.needPerson))
	for id := range t.keys {
		ids[id] = true
	}
	maps.Copy(ids, e.needFinger)
	maps.Copy(ids, e.needPerson)
	if len(ids) > maxSubjects || len(secrets) > maxSecrets || len(e.checkpoint) > maxCheckpoint {
		return nil, errors.New("the key table is full")
	}
	p := newPage(tableSize(e, secrets, len(ids)))
	w := &tableWriter{b: p.b[:0], rand: rand}
	w.header(e, t.storeKey, secrets)
	w.subjects(t, e, slices.Sorted(maps.Keys(ids)))
	if w.err != nil {
		p.release()
		return nil, fmt.Errorf("drawing keys: %w", w.err)
	}
	next, err := parseTable(w.b)
	if err != nil {
		p.release()
		return nil, fmt.Errorf("internal error: the key table does not read back: %w", err)
	}
	next.page = p
	return next, nil
}

// tableSize is an upper bound.
func tableSize(e edit, secrets map[string][]byte, subjects int) int {
	n := 8 + 8 + 2 + len(e.checkpoint) + dataKeySize + 2 + 4 + subjects*(subjectIDSize+1+2*dataKeySize)
	for name, v := range secrets {
		n += 1 + len(name) + 2 + len(v)
	}
	return n
}

// tableWriter appends to a slice that has room enough, so that append never moves it out of its page.
type tableWriter struct {
	b    []byte
	rand io.Reader
	err  error
}

func (w *tableWriter) header(e edit, storeKey []byte, secrets map[string][]byte) {
	w.b = binary.BigEndian.AppendUint64(w.b, e.epoch)
	w.b = binary.BigEndian.AppendUint64(w.b, e.seq)
	w.b = binary.BigEndian.AppendUint16(w.b, uint16(len(e.checkpoint)))
	w.b = append(w.b, e.checkpoint...)
	w.key(keyPlan{old: storeKey, draw: storeKey == nil})
	w.b = binary.BigEndian.AppendUint16(w.b, uint16(len(secrets)))
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		w.b = append(w.b, uint8(len(name)))
		w.b = append(w.b, name...)
		w.b = binary.BigEndian.AppendUint16(w.b, uint16(len(secrets[name])))
		w.b = append(w.b, secrets[name]...)
	}
}

// subjects writes those that keep a key; a subject without any is dropped from the table.
func (w *tableWriter) subjects(t *table, e edit, ids []consent.SubjectID) {
	at := len(w.b)
	w.b = binary.BigEndian.AppendUint32(w.b, 0)
	count := uint32(0)
	for _, id := range ids {
		finger := plan(t.keys[id].finger, e.needFinger[id], e.dropFinger[id])
		person := plan(t.keys[id].person, e.needPerson[id], e.dropPerson[id])
		flags := uint8(0)
		if finger.present() {
			flags |= 1
		}
		if person.present() {
			flags |= 2
		}
		if flags == 0 {
			continue
		}
		w.b = append(append(w.b, id...), flags)
		w.key(finger)
		w.key(person)
		count++
	}
	binary.BigEndian.PutUint32(w.b[at:], count)
}

func (w *tableWriter) key(k keyPlan) {
	switch {
	case k.old != nil:
		w.b = append(w.b, k.old...)
	case k.draw:
		n := len(w.b)
		w.b = w.b[:n+dataKeySize]
		if _, err := io.ReadFull(w.rand, w.b[n:]); err != nil && w.err == nil {
			w.err = err
		}
	}
}

var errTable = errors.New("the key table is not laid out as this program writes it")

// parseTable reads the clear text. The result points into b.
func parseTable(b []byte) (*table, error) {
	r := &tableReader{b: b}
	t := &table{plain: b, secrets: map[string][]byte{}, keys: map[consent.SubjectID]subjectKeys{}}
	t.epoch, t.seq = r.uint(8), r.uint(8)
	t.checkpoint = r.take(int(r.uint(2)))
	t.storeKey = r.take(dataKeySize)
	for range r.uint(2) {
		name := string(r.take(int(r.uint(1))))
		t.secrets[name] = r.take(int(r.uint(2)))
		if r.bad {
			return nil, errTable
		}
	}
	count := r.uint(4)
	if count > maxSubjects {
		return nil, errTable
	}
	for range count {
		id, err := consent.ParseSubjectID(string(r.take(subjectIDSize)))
		flags := r.uint(1)
		var k subjectKeys
		if flags&1 != 0 {
			k.finger = r.take(dataKeySize)
		}
		if flags&2 != 0 {
			k.person = r.take(dataKeySize)
		}
		if err != nil || r.bad || flags == 0 || flags > 3 {
			return nil, errTable
		}
		t.keys[id] = k
	}
	if r.bad || len(r.b) != 0 || len(t.keys) != int(count) {
		return nil, errTable
	}
	return t, nil
}

// tableReader cuts pieces off b; after the first that is missing, bad is set and all pieces are empty.
type tableReader struct {
	b   []byte
	bad bool
}

func (r *tableReader) take(n int) []byte {
	if r.bad || n > len(r.b) {
		r.bad = true
		return nil
	}
	piece := r.b[:n:n]
	r.b = r.b[n:]
	return piece
}

func (r *tableReader) uint(n int) uint64 {
	v := uint64(0)
	for _, c := range r.take(n) {
		v = v<<8 | uint64(c)
	}
	return v
}
