package store

import (
	"cmp"
	"encoding/binary"
	"io"
	"slices"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
)

// salvageServed finds the records of the old log that say who was served today: a till must not forget them because its records
// were set aside at half past twelve. Today is the day that the store's clock is going to say.
//
// The new log begins with them, each marked as taken over (audit.TakenOver), with the time that it happened. It is a new log all the same:
// numbers, tree and signature of the old one are not continued, which lies beside it as a whole, and the hub, which has countersigned that,
// notices the change and says so. Each record is taken once: the seal binds a record to its number, and of one number and text there is
// one. Nothing adds matches up; a point of sale was told at the time, or never.
func (s *Store) salvageServed(f io.ReaderAt, mark time.Time) []audit.Event {
	type place struct {
		n    uint64
		text string
	}
	now := s.o.Now()
	if mark.After(now) {
		now = mark
	}
	today := consent.DateOf(now.In(s.o.Location))
	found := map[place]audit.Event{}
	eachLeaf(f, func(k, v []byte) {
		if len(k) != 8 {
			return
		}
		n := binary.BigEndian.Uint64(k)
		text, err := s.log.Open(int64(n), v)
		if err != nil {
			return // a hash, an item, or damaged
		}
		e, err := audit.ParseEvent(string(text))
		if err == nil && e.Kind == audit.Match && e.Subject != "" && consent.DateOf(e.At.In(s.o.Location)) == today {
			e.Action = audit.TakenOver
			found[place{n, string(text)}] = e
		}
	})
	places := make([]place, 0, len(found))
	for p := range found {
		places = append(places, p)
	}
	slices.SortFunc(places, func(a, b place) int { // the log is read back to where yesterday begins
		return cmp.Or(found[a].At.Compare(found[b].At), cmp.Compare(a.n, b.n), cmp.Compare(a.text, b.text))
	})
	events := make([]audit.Event, 0, len(places))
	for _, p := range places {
		events = append(events, found[p])
	}
	return events
}
