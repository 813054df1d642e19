package store

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
)

// salvaged is what nobody but this terminal knows, taken out of records that could not be trusted: what the hub has not
// been told yet, pupils' refusals (A3), which no hub may override (I9), who was served today, and the clock's mark, below which no
// date may come back to life. Everything else the hub brings again.
//
// The seal proves each of them one by one, whatever has become of the pages around it. What is found may be old: an item
// that the hub has had already, which it takes once, a refusal that it knows of, or an earlier mark, which bounds the time all the same.
type salvaged struct {
	items    map[uint64]Item
	refusals map[consent.SubjectID]standing
	served   []audit.Event // see salvageServed
	mark     time.Time     // zero if none was found
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
		case string(k) == settingClock:
			s.salvageMark(&found, v)
		}
	})
	found.served = s.salvageServed(f, found.mark)
	return found
}

// salvageMark keeps the latest mark: it never goes back.
func (s *Store) salvageMark(found *salvaged, v []byte) {
	var mark time.Time
	plain, err := s.openOwn(v, "setting", settingClock)
	if err == nil && mark.UnmarshalText(plain) == nil && mark.After(found.mark) {
		found.mark = mark
	}
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
	if err := s.restoreMark(tx, found.mark); err != nil {
		return err
	}
	if _, err := s.log.Append(tx, found.served...); err != nil {
		return err
	}
	return s.putPending(tx, p)
}

func (s *Store) restoreMark(tx *bbolt.Tx, mark time.Time) error {
	if mark.IsZero() {
		return nil
	}
	text, err := mark.UTC().MarshalText()
	if err != nil {
		return err
	}
	sealed, err := s.sealOwn(text, "setting", settingClock)
	if err != nil {
		return err
	}
	return s.put(tx, settingBucket, []byte(settingClock), sealed)
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
