package store_test

import (
	"fmt"
	"testing"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
)

// BenchmarkCheck is a large school at the end of a term: 10,000 subjects with four templates and a person record each,
// and 50,000 records of the log.
func BenchmarkCheck(b *testing.B) {
	s := newBenchIn(b, b.TempDir())
	ids := s.permit(10_000, 4)
	s.name(ids)
	for range 5 {
		events := make([]audit.Event, 0, len(ids))
		for _, id := range ids {
			events = append(events, audit.Event{Kind: audit.Match, Subject: id, Route: "finger", Band: audit.Clear, Limit: "11.2"})
		}
		if err := s.st.Append(events...); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if found := s.st.Check(); len(found) > 0 {
			b.Fatal(found)
		}
	}
}

// name gives each subject a person record with a PIN.
func (b *bench) name(ids []consent.SubjectID) {
	b.t.Helper()
	var people []store.PersonRecord
	for i, id := range ids {
		people = append(people, store.PersonRecord{Subject: id, Person: store.Person{Name: fmt.Sprintf("Pupil %d", i), Class: consent.Pupil,
			PINIndex: fmt.Appendf(nil, "index of pupil %06d", i), PINVerifier: "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", Revision: 1}})
	}
	if err := b.st.PutPeople(people); err != nil {
		b.t.Fatal(err)
	}
}
