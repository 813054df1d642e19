package store

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
)

// salvaged is what nobody but this terminal knows, taken out of records that could not be trusted: what the hub has not
// been told yet, and pupils' refusals (A3), which no hub may override (I9). Everything else the hub brings again.
//
// The seal proves each of them one by one, whatever has become of the pages around it. What is found may be old: an item
// that the hub has had already, which it takes once, or a refusal that it knows of.
type salvaged struct {
	items    map[uint64]Item
	refusals map[consent.SubjectID]standing
}

// salvage reads every page of the file that was set aside, or still stands in its place. It follows no reference, so
// damage costs no more than what it has hit.
func (s *Store) salvage(path string) (found salvaged) {
	found = salvaged{items: map[uint64]Item{}, refusals: map[consent.SubjectID]standing{}}
	f, err := os.Open(path)
	if err != nil {
		return found
	}
	defer f.Close()
	eachLeaf(f, func(k, v []byte) {
		switch {
		case len(k) == 8:
			s.salvageItem(&found, k, v)
		case len(k) == subjectIDSize:
			s.salvageRefusal(&found, k, v)
		}
	})
	return found
}

func (s *Store) salvageItem(found *salvaged, k, v []byte) {
	it, err := s.item(k, v)
	if err != nil || it.Refetched || it.Kind == ItemShare {
		return
	}
	if it.Kind == ItemReceipt {
		if _, err := audit.VerifyReceipt(it.Text, s.verifier); err != nil {
			return
		}
	}
	found.items[it.ID] = it
}

// salvageRefusal keeps the newest version of a standing: by the register's entry, then by what was added to it here.
func (s *Store) salvageRefusal(found *salvaged, k, v []byte) {
	id, err := consent.ParseSubjectID(string(k))
	if err != nil {
		return
	}
	plain, err := s.openOwn(v, "standing", string(id))
	var st standing
	if err != nil || json.Unmarshal(plain, &st) != nil {
		return
	}
	if old, ok := found.refusals[id]; !ok || newer(st, old) {
		found.refusals[id] = st
	}
}

func newer(a, b standing) bool {
	switch {
	case a.Seq != b.Seq:
		return a.Seq > b.Seq
	case a.Refusal == nil || b.Refusal == nil:
		return a.Refusal != nil
	}
	return a.Refusal.Known > b.Refusal.Known
}

// restore writes what was salvaged into new records. The refused stay refused until the hub reports a later consent.
func (s *Store) restore(tx *bbolt.Tx, found salvaged) error {
	b := tx.Bucket(outboxBucket)
	for id, it := range found.items {
		if err := b.SetSequence(max(b.Sequence(), id)); err != nil {
			return err
		}
		if err := s.putItem(tx, id, it); err != nil {
			return err
		}
	}
	var p pending
	for id, st := range found.refusals {
		if st.Refusal == nil {
			continue
		}
		if s.table.keys[id].finger != nil { // a cut came before the key was destroyed
			p.Wipes = append(p.Wipes, wipe{Subject: id, Row: "A3", At: st.Refusal.At})
		}
		// The item's number must not be drawn again: merge takes one that is not in the queue for sent.
		if err := b.SetSequence(max(b.Sequence(), st.Refusal.Item)); err != nil {
			return err
		}
		kept := standing{Standing: Standing{Decision: consent.Erase, Reasons: []string{"A3"}, Refused: true}, Since: st.Since, Refusal: st.Refusal}
		if err := s.putStanding(tx, id, kept); err != nil {
			return err
		}
	}
	return s.putPending(tx, p)
}

// lastAside is the newest file that was set aside in path's place, or "".
func lastAside(path string) string {
	names, err := filepath.Glob(path + ".aside-*")
	if err != nil || len(names) == 0 {
		return ""
	}
	return slices.MaxFunc(names, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b) // a number behind the stamp is later
		}
		return slices.Compare([]byte(a), []byte(b))
	})
}

// mostLeaf bounds a leaf with its overflow, in bytes: two people with photos need 200 KiB.
const mostLeaf = 512 << 10

// eachLeaf calls found for every key and value that stands in a leaf anywhere in a database file, free pages included,
// and in the small buckets that lie inside a leaf. The file may hold anything.
func eachLeaf(f io.ReaderAt, found func(k, v []byte)) {
	size := pageSizeOf(f)
	header, leaf := make([]byte, pageHeader), []byte(nil)
	for at := int64(0); ; at += size {
		if n, err := f.ReadAt(header, at); n < pageHeader || err != nil {
			return
		}
		whole := (int64(binary.NativeEndian.Uint32(header[12:])) + 1) * size
		if binary.NativeEndian.Uint16(header[8:]) != leafPage || whole > mostLeaf {
			continue
		}
		if int64(cap(leaf)) < whole {
			leaf = make([]byte, whole)
		}
		n, _ := f.ReadAt(leaf[:whole], at) // of a leaf that is cut off, what is there
		leafItems(leaf[:n], true, found)
	}
}

// pageSizeOf reads the size of the file's pages from either of its heads; 4096 where neither tells.
func pageSizeOf(f io.ReaderAt) int64 {
	head := make([]byte, metaSize)
	for _, at := range []int64{0, 4 << 10, 16 << 10, 64 << 10} {
		if _, err := f.ReadAt(head, at); err != nil || binary.NativeEndian.Uint32(head[pageHeader:]) != 0xED0CDAED {
			continue
		}
		if size := binary.NativeEndian.Uint32(head[pageHeader+8:]); size >= 1<<10 && size <= 64<<10 && size&(size-1) == 0 {
			return int64(size)
		}
	}
	return 4 << 10
}

// leafItems reads the elements of one leaf; nested allows a bucket inside it.
func leafItems(leaf []byte, nested bool, found func(k, v []byte)) {
	count := int(binary.NativeEndian.Uint16(leaf[10:]))
	for i := range count {
		at := pageHeader + i*pageElement
		if at+pageElement > len(leaf) {
			return
		}
		e := leaf[at:][:pageElement]
		key := uint64(at) + uint64(binary.NativeEndian.Uint32(e[4:]))
		value := key + uint64(binary.NativeEndian.Uint32(e[8:]))
		end := value + uint64(binary.NativeEndian.Uint32(e[12:]))
		if end > uint64(len(leaf)) {
			continue
		}
		k, v := leaf[key:value], leaf[value:end]
		switch {
		case binary.NativeEndian.Uint32(e)&bucketFlag == 0:
			found(k, v)
		case nested && len(v) >= 16+pageHeader: // root page and sequence of the bucket, then its only page
			leafItems(v[16:], false, found)
		}
	}
}
