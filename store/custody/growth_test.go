package custody_test

import (
	"context"
	"testing"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/store"
)

// Two years after the enrolment a pupil's finger is expected a twentieth larger, an adult's as it was. What the store
// holds does not change.
func TestPupilsTemplatesGrow(t *testing.T) {
	d := newDesk(t)
	taken := map[consent.SubjectID][]byte{}
	for _, class := range []consent.Class{consent.Pupil, consent.Adult} {
		id := d.enter(store.Standing{Decision: consent.Permit, Reasons: []string{"A1"}})
		d.must(d.st.PutPeople([]store.PersonRecord{{Subject: id, Person: store.Person{Name: "N", Class: class, Revision: 1}}}))
		d.must(d.c.Enrol(context.Background(), d.prints(id)))
		d.must(d.st.Templates(id, func(r store.TemplateRecord) error { taken[id] = append([]byte(nil), r.Data...); return nil }))
	}
	d.restartAt(noon.Add(2 * 365.25 * 24 * time.Hour))
	d.must(d.c.SetLease(d.now.Add(72 * time.Hour)))
	for id, data := range taken {
		person, err := d.st.Person(id)
		d.must(err)
		as, larger := d.likeness(id, data, 1), d.likeness(id, data, 1.05)
		if pupil := person.Class == consent.Pupil; pupil && larger <= as || !pupil && larger >= as {
			t.Errorf("pupil %t: score %.1f as the finger was, %.1f as it may be now", pupil, as, larger)
		}
		d.must(d.st.Templates(id, func(r store.TemplateRecord) error { data = append([]byte(nil), r.Data...); return nil }))
		if string(data) != string(taken[id]) {
			t.Error("the stored template has changed")
		}
	}
}

// likeness is the score of a subject's finger, enlarged.
func (d *desk) likeness(id consent.SubjectID, data []byte, factor float64) float64 {
	d.t.Helper()
	var probe matcher.Template
	d.must(probe.UnmarshalBinary(data))
	defer probe.Clear()
	probe.Grow(factor)
	found, err := d.g.Identify(context.Background(), &probe, 9)
	d.must(err)
	for _, c := range found {
		if c.Subject == string(id) {
			return c.Score
		}
	}
	return 0
}
