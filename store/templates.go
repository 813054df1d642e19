package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/store/audit"
)

// PutTemplates keeps a batch of templates, in one transaction: all of them or, with an error, none. Every subject
// must be permitted now (A1), else the error wraps ErrNotPermitted. A finger that is in the batch loses what was
// kept of it before. Subjects enrolled at this terminal, those with an empty From or its own name, are queued for the
// site's other terminals as ItemShare.
func (s *Store) PutTemplates(records []TemplateRecord) error {
	s.lock()
	defer s.unlock()
	if _, err := s.finish(); err != nil {
		return fmt.Errorf("keeping templates: %w", err)
	}
	subjects, err := s.admissible(records)
	if err != nil {
		return fmt.Errorf("keeping templates: %w", err)
	}
	if err := s.ensureKeys(subjects, nil); err != nil {
		return fmt.Errorf("keeping templates: %w", err)
	}
	if err := s.update(func(tx *bbolt.Tx) error { return s.putTemplates(tx, records) }); err != nil {
		return fmt.Errorf("keeping templates: %w", err)
	}
	s.step(StepRecords)
	return nil
}

// admissible checks sizes and consent, and returns the subjects.
func (s *Store) admissible(records []TemplateRecord) (map[consent.SubjectID]bool, error) {
	now := s.now()
	subjects := map[consent.SubjectID]bool{}
	for _, r := range records {
		if len(r.Data) == 0 || len(r.Data) > MaxTemplate || r.Finger > 10 || len(r.From) > 64 {
			return nil, fmt.Errorf("store: a template of finger %d with %d bytes is out of bounds", r.Finger, len(r.Data))
		}
		if d, rows := s.decision(r.Subject, now); d != consent.Permit {
			return nil, fmt.Errorf("%w for this subject: %s %v", ErrNotPermitted, d, rows)
		}
		subjects[r.Subject] = true
	}
	return subjects, nil
}

func (s *Store) putTemplates(tx *bbolt.Tx, records []TemplateRecord) error {
	fingers, err := tx.CreateBucketIfNotExists(fingerBucket)
	if err != nil {
		return err
	}
	at := map[string]int{} // subject and finger: templates so far in this batch
	enrolled := map[consent.SubjectID]int{}
	for _, r := range records {
		finger := string(r.Subject) + string([]byte{r.Finger})
		if at[finger] == 0 {
			for _, k := range keysOf(fingers, []byte(finger)) {
				if err := s.remove(tx, fingerBucket, k); err != nil {
					return err
				}
			}
		}
		n := at[finger]
		if n >= MaxPerFinger {
			return fmt.Errorf("store: more than %d templates of one finger", MaxPerFinger)
		}
		sealed, err := s.sealTemplate(r, uint8(n))
		if err != nil {
			return err
		}
		if err := s.put(tx, fingerBucket, append([]byte(finger), uint8(n)), sealed); err != nil {
			return err
		}
		at[finger]++
		enrolled[r.Subject]++
	}
	return s.reportEnrolled(tx, records, enrolled)
}

// reportEnrolled logs one event for each subject and queues those enrolled here for the other terminals.
func (s *Store) reportEnrolled(tx *bbolt.Tx, records []TemplateRecord, count map[consent.SubjectID]int) error {
	now := s.now()
	var events []audit.Event
	for _, r := range records {
		n := count[r.Subject]
		if n == 0 {
			continue
		}
		delete(count, r.Subject)
		e := audit.Event{Kind: audit.Enrol, At: now, Subject: r.Subject, Seq: s.table.seq, Epoch: s.table.epoch, Count: n}
		if r.From == "" || r.From == s.id.Terminal {
			e.Action = "captured"
			if _, err := s.enqueue(tx, Item{Kind: ItemShare, Subject: r.Subject, At: now}); err != nil {
				return err
			}
		} else {
			e.Action = "adopted"
		}
		events = append(events, e)
	}
	_, err := s.log.Append(tx, events...)
	return err
}

// The clear text of a template: seconds since 1970 when it was captured, length and name of the terminal, data.
const templateHeader = 8 + 1

func templateBinding(id Identity, subject consent.SubjectID, finger, n uint8) []byte {
	return id.binding("template", string(subject), strconv.Itoa(int(finger)), strconv.Itoa(int(n)))
}

func (s *Store) sealTemplate(r TemplateRecord, n uint8) ([]byte, error) {
	plain := locked.Make[byte](templateHeader + len(r.From) + len(r.Data))[:0]
	defer locked.Free(plain)
	plain = binary.BigEndian.AppendUint64(plain, uint64(r.Enrolled.Unix()))
	plain = append(plain, uint8(len(r.From)))
	plain = append(plain, r.From...)
	plain = append(plain, r.Data...)
	return seal(s.o.Rand, s.table.keys[r.Subject].finger, plain, templateBinding(s.id, r.Subject, r.Finger, n))
}

// decodeTemplate reads the clear text; Data points into it.
func decodeTemplate(plain []byte) (r TemplateRecord, err error) {
	if len(plain) < templateHeader || len(plain) <= templateHeader+int(plain[8]) || len(plain) > templateHeader+64+MaxTemplate {
		return r, fmt.Errorf("store: a template record of %d bytes is not laid out as this program writes it", len(plain))
	}
	from := templateHeader + int(plain[8])
	r.Enrolled = time.Unix(int64(binary.BigEndian.Uint64(plain)), 0).UTC()
	r.From = string(plain[templateHeader:from])
	r.Data = plain[from:]
	return r, nil
}

// EachTemplate calls f with every template of every subject who is permitted now: what is restricted, paused or past
// its date stays sealed (F5). The record's Data lies in a locked page that is overwritten after f returns; f
// keeps nothing of it and does not call the store. An error from f ends the walk and is returned.
func (s *Store) EachTemplate(f func(r TemplateRecord) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.view(func(tx *bbolt.Tx) error { return s.walk(tx, nil, s.permitted(), f) })
}

// Templates is EachTemplate for one subject.
func (s *Store) Templates(subject consent.SubjectID, f func(r TemplateRecord) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.view(func(tx *bbolt.Tx) error { return s.walk(tx, []byte(subject), s.permitted(), f) })
}

// KeptTemplates is Templates for the subject's own eyes (G1): also what is restricted or paused is in it.
func (s *Store) KeptTemplates(subject consent.SubjectID, f func(r TemplateRecord) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	own := func(id consent.SubjectID) bool { return id == subject }
	return s.view(func(tx *bbolt.Tx) error { return s.walk(tx, []byte(subject), own, f) })
}

func (s *Store) permitted() func(consent.SubjectID) bool {
	now := s.now()
	return func(id consent.SubjectID) bool {
		d, _ := s.decision(id, now)
		return d == consent.Permit
	}
}

// walk opens the templates below a prefix, of those subjects that want accepts, one after the other in one page.
func (s *Store) walk(tx *bbolt.Tx, prefix []byte, want func(consent.SubjectID) bool, f func(TemplateRecord) error) error {
	p := newPage(templateHeader + 64 + MaxTemplate)
	defer p.release()
	fingers := tx.Bucket(fingerBucket)
	if fingers == nil {
		return nil
	}
	c := fingers.Cursor()
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if len(k) != subjectIDSize+2 || len(v)-sealedOver > len(p.b) {
			return fmt.Errorf("a template record is not laid out as this program writes it")
		}
		subject := consent.SubjectID(k[:subjectIDSize])
		if !want(subject) {
			continue
		}
		if err := s.openTemplate(p, subject, k[subjectIDSize], k[subjectIDSize+1], v, f); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) openTemplate(p *page, subject consent.SubjectID, finger, n uint8, sealed []byte, f func(TemplateRecord) error) error {
	defer clear(p.b)
	key := s.table.keys[subject].finger
	if key == nil {
		return fmt.Errorf("a template: %w", errSealed)
	}
	plain, err := open(p.b, key, sealed, templateBinding(s.id, subject, finger, n))
	if err != nil {
		return fmt.Errorf("a template: %w", err)
	}
	r, err := decodeTemplate(plain)
	if err != nil {
		return err
	}
	r.Subject, r.Finger = subject, finger
	return f(r)
}

// TemplateCount is the number of templates kept for each subject, permitted or not.
func (s *Store) TemplateCount() (map[consent.SubjectID]int, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	count := map[consent.SubjectID]int{}
	err := s.view(func(tx *bbolt.Tx) error {
		return eachRow(tx.Bucket(fingerBucket), func(k, _ []byte) error {
			if len(k) == subjectIDSize+2 {
				count[consent.SubjectID(k[:subjectIDSize])]++
			}
			return nil
		})
	})
	return count, err
}

// checkTemplates opens every template. A row whose key has just been destroyed may still stand there: the pending
// wipe names it.
func (s *Store) checkTemplates(tx *bbolt.Tx) error {
	wiped := map[consent.SubjectID]bool{}
	for _, w := range s.pending.Wipes {
		wiped[w.Subject] = true
	}
	return s.walk(tx, nil, func(id consent.SubjectID) bool { return !wiped[id] }, func(TemplateRecord) error { return nil })
}
