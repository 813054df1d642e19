package store_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// Each step syncs files: fewer and shorter runs than rapid's default keep the suite quick.
	flag.VisitAll(func(f *flag.Flag) {
		if f.Name == "rapid.checks" && f.Value.String() == f.DefValue {
			f.Value.Set("25")
		}
	})
	os.Exit(m.Run())
}

// pupil is what the model knows about one subject.
type pupil struct {
	Decision consent.Decision
	Refused  bool
	Leaver   bool
	Person   bool
	Prints   map[uint8][]byte // of each finger, as one template
	Wipes    int              // receipts that must exist
}

// model is the store as a map, and the real one beside it.
type model struct {
	b      *bench
	ids    []consent.SubjectID
	pupils map[consent.SubjectID]*pupil
	seq    uint64
	stray  map[consent.SubjectID]bool // a person key was made, and then the power went
	cut    bool                       // the next operation is followed by a power cut at a random step of it
}

func newModel(t testing.TB) *model {
	m := &model{b: newBench(t), pupils: map[consent.SubjectID]*pupil{}, stray: map[consent.SubjectID]bool{}}
	for range 4 {
		id := m.b.subject()
		m.ids = append(m.ids, id)
	}
	return m
}

// do runs an operation, and perhaps loses power during it: then the copy of the disk at a random step is what goes
// on. Steps that come before the change itself (new keys) leave the old state; it reports whether the change holds.
func (m *model) do(t *rapid.T, op func() error) bool {
	if !m.cut {
		if err := op(); err != nil {
			t.Fatal(err)
		}
		return true
	}
	m.cut = false
	var all []cut
	m.b.step = func(step string) { all = append(all, cut{step, m.b.copyDir()}) }
	err := op()
	m.b.step = nil
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		return true
	}
	at := all[rapid.IntRange(0, len(all)-1).Draw(t, "cut")]
	m.b.st.Close()
	m.b.dir = at.dir
	if m.b.st, err = openDir(at.dir, m.b.options()); err != nil {
		t.Fatalf("after a cut at %s: %v", at.step, err)
	}
	return at.step != store.StepKeys
}

func (m *model) change(t *rapid.T) {
	id := rapid.SampledFrom(m.ids).Draw(t, "subject")
	d := rapid.SampledFrom([]consent.Decision{consent.Erase, consent.Pause, consent.Permit, consent.Permit}).Draw(t, "decision")
	leaver := rapid.IntRange(0, 5).Draw(t, "leaver") == 0
	c := store.Change{Seq: m.seq + 1, Subject: id, Standing: store.Standing{Decision: d, Reasons: []string{"A1"}}, Leaver: leaver}
	if rapid.Bool().Draw(t, "person") {
		c.Person = person(int(m.seq))
		c.Person.Revision = m.seq + 1
	}
	if !m.do(t, func() error { _, err := m.b.st.Apply([]store.Change{c}, c.Seq, nil); return err }) {
		m.stray[id] = true
		return
	}
	m.seq++
	p, known := m.pupils[id]
	if !known {
		p = &pupil{Prints: map[uint8][]byte{}}
		m.pupils[id] = p
	}
	was := p.effective()
	wasLeaver := p.Leaver
	p.Decision, p.Leaver = d, leaver
	if leaver {
		p.Decision = consent.Erase
	}
	if p.effective() == consent.Erase && (was != consent.Erase || len(p.Prints) > 0) || leaver && (p.Person || !wasLeaver && (m.stray[id] || known)) {
		p.Wipes++
		clear(p.Prints)
	}
	p.Person = (p.Person || c.Person != nil) && !leaver
	m.stray[id] = m.stray[id] && !leaver
}

func (p *pupil) effective() consent.Decision {
	if p.Refused {
		return consent.Erase
	}
	return p.Decision
}

func (m *model) enrol(t *rapid.T) {
	id := rapid.SampledFrom(m.ids).Draw(t, "subject")
	finger := uint8(rapid.IntRange(1, 3).Draw(t, "finger"))
	data := m.b.template()
	r := []store.TemplateRecord{{Subject: id, Finger: finger, Data: data, Enrolled: m.b.now}}
	p := m.pupils[id]
	if p == nil || p.effective() != consent.Permit {
		if err := m.b.st.PutTemplates(r); err == nil {
			t.Fatal("enrolled without a consent")
		}
		return
	}
	if m.do(t, func() error { return m.b.st.PutTemplates(r) }) {
		p.Prints[finger] = data
	}
}

func (m *model) refuse(t *rapid.T) {
	id := rapid.SampledFrom(m.ids).Draw(t, "subject")
	if !m.do(t, func() error { _, err := m.b.st.Refuse(id, "op-1"); return err }) {
		return
	}
	p := m.pupils[id]
	if p == nil {
		p = &pupil{Prints: map[uint8][]byte{}}
		m.pupils[id] = p
	}
	p.Refused = true
	p.Wipes++
	clear(p.Prints)
}

// check compares everything that can be seen.
func (m *model) check(t *rapid.T) {
	for _, v := range m.b.st.Check() {
		t.Fatalf("%s is broken: %s", v.Invariant, v.Text)
	}
	if len(m.b.st.Warnings()) > 0 {
		t.Fatalf("warnings: %v", m.b.st.Warnings())
	}
	if seq, _ := m.b.st.Applied(); seq != m.seq {
		t.Fatalf("applied %d, the model has %d", seq, m.seq)
	}
	want, got := map[consent.SubjectID]map[uint8][]byte{}, map[consent.SubjectID]map[uint8][]byte{}
	for id, p := range m.pupils {
		if p.effective() == consent.Permit && len(p.Prints) > 0 {
			want[id] = p.Prints
		}
		if _, err := m.b.st.Person(id); (err == nil) != p.Person {
			t.Fatalf("person: %v, the model has %t", err, p.Person)
		}
		if len(p.Prints) > 0 != m.b.st.HasFingerKey(id) && p.effective() == consent.Erase {
			t.Fatalf("a finger key without a permission")
		}
	}
	err := m.b.st.EachTemplate(func(r store.TemplateRecord) error {
		if got[r.Subject] == nil {
			got[r.Subject] = map[uint8][]byte{}
		}
		got[r.Subject][r.Finger] = bytes.Clone(r.Data)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("templates (-model +store):\n%s", diff)
	}
	m.checkReceipts(t)
}

func (m *model) checkReceipts(t *rapid.T) {
	items, err := m.b.st.Pending(0)
	if err != nil {
		t.Fatal(err)
	}
	receipts := map[consent.SubjectID]int{}
	for _, it := range items {
		if it.Kind == store.ItemReceipt {
			receipts[it.Subject]++
		}
	}
	for id, p := range m.pupils {
		if receipts[id] != p.Wipes {
			t.Fatalf("%d receipts of a subject, the model has %d", receipts[id], p.Wipes)
		}
	}
}

// The store behaves as a simple map does, over restarts and power cuts at any step.
func TestStoreIsItsModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newModel(t)
		rt.Repeat(map[string]func(*rapid.T){
			"change": m.change,
			"enrol":  m.enrol,
			"refuse": m.refuse,
			"reopen": func(*rapid.T) { m.b.reopen() },
			"cut":    func(*rapid.T) { m.cut = true },
			"":       m.check,
		})
		m.b.st.Close()
		os.RemoveAll(filepath.Join(m.b.dir, "store"))
	})
}
