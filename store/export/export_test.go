package export_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"pgregory.net/rapid"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/iso19794"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/export"
	"github.com/tillprint/tillprint/store/keyslot"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// crowd is a terminal's store with people in it, all of whose words carry their mark.
type crowd struct {
	st      *store.Store
	people  []consent.SubjectID
	marks   []string // name, form and PIN of each begin with it
	fingers [][]store.TemplateRecord
}

type fatal interface {
	Helper()
	Fatal(...any)
}

func must(t fatal, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newCrowd(t fatal, dir string, marks []string, seed byte) *crowd {
	random := rand.NewChaCha8([32]byte{seed})
	st, err := store.Create(dir, &keyslot.Memory{Rand: random}, store.Identity{Site: "oakfield", Terminal: "till-1"},
		store.Options{Rand: random, Now: func() time.Time { return noon }})
	must(t, err)
	c := &crowd{st: st, marks: marks}
	var changes []store.Change
	for i, mark := range marks {
		id, err := consent.NewSubjectID(random)
		must(t, err)
		c.people = append(c.people, id)
		changes = append(changes, store.Change{Seq: uint64(i + 1), Subject: id, Standing: store.Standing{Decision: consent.Permit, Reasons: []string{"A1"}},
			Person: &store.Person{Name: mark + " Ng", Form: mark + "7B", Class: consent.Pupil, Dietary: []string{mark + " nuts"}, Photo: []byte("photo of " + mark),
				PINIndex: []byte(mark + strings.Repeat("i", 16)), PINVerifier: "$argon2id$" + mark, Revision: 1}})
	}
	must(t, st.Clock().Witness(noon))
	_, err = st.Apply(changes, uint64(len(marks)), nil)
	must(t, err)
	for i, id := range c.people {
		records := prints(t, random, id)
		must(t, st.PutTemplates(records))
		match := audit.Event{Kind: audit.Match, Subject: id, Route: "finger", Band: audit.Strong, Limit: "11.2", Operator: "staff-account"}
		must(t, st.Append(slices.Repeat([]audit.Event{match}, i+1)...)) // each a different number of times
		c.fingers = append(c.fingers, records)
	}
	return c
}

func prints(t fatal, random *rand.ChaCha8, id consent.SubjectID) (records []store.TemplateRecord) {
	for _, finger := range []uint8{2, 2, 7} {
		m := &matcher.Template{Width: 300, Height: 300, Quality: 80}
		for range 20 {
			m.Minutiae = append(m.Minutiae, matcher.Minutia{X: float32(random.Uint64() % 300), Y: float32(random.Uint64() % 300), Angle: float32(random.Uint64()%6000) / 1000, Kind: matcher.Ending})
		}
		data, err := m.MarshalBinary()
		must(t, err)
		records = append(records, store.TemplateRecord{Subject: id, Finger: finger, Data: data, Enrolled: noon})
	}
	return records
}

// scratch is a folder in memory where there is one: the property makes a hundred stores.
func scratch(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "tillprint-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func newKey(t fatal) *age.X25519Identity {
	key, err := age.GenerateX25519Identity()
	must(t, err)
	return key
}

func order(id consent.SubjectID, to string) export.Order {
	return export.Order{ID: "x_0123456789abcdef", Subject: id, Recipient: to, Requester: "subject", Identity: "passport seen", Asked: noon, Confirmed: noon.Add(time.Minute)}
}

// TestI8AnExportIsOfOnePersonAlone exports people of random crowds and looks through every file of it, opened, for anybody else.
func TestI8AnExportIsOfOnePersonAlone(t *testing.T) {
	key, dir := newKey(t), scratch(t)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		// Marks are words of one length that no sentence of ours contains; names differ in one letter too.
		mark := rapid.StringMatching(`Q[xzj][a-z]{3}q`)
		marks := rapid.SliceOfNDistinct(mark, 2, 5, rapid.ID[string]).Draw(rt, "marks")
		c := newCrowd(rt, fmt.Sprintf("%s/%d", dir, n), marks, byte(n))
		defer c.st.Close()
		own := rapid.IntRange(0, len(marks)-1).Draw(rt, "whose")
		sealed, err := export.Seal(c.st, export.Site{ID: "oakfield"}, order(c.people[own], key.Recipient().String()))
		must(rt, err)
		r, files, err := export.Open(sealed, key.String())
		must(rt, err)
		if len(r.History) != 1+own+1 {
			rt.Errorf("%d events in the history of person %d, who was enrolled once and served %d times", len(r.History), own, own+1)
		}
		var all []byte
		for _, f := range files {
			all = append(append(all, f.Name...), f.Data...)
		}
		for i, mark := range marks {
			if got := bytes.Contains(all, []byte(mark)); got != (i == own) {
				rt.Errorf("the words of person %d in the export of person %d: %v", i, own, got)
			}
			if got := bytes.Contains(all, []byte(c.people[i])); got != (i == own) {
				rt.Errorf("the pseudonym of person %d in the export of person %d: %v", i, own, got)
			}
			for j, points := range c.points(rt, i) {
				if got := bytes.Contains(all, points); got != (i == own) {
					rt.Errorf("template %d of person %d in the export of person %d: %v", j, i, own, got)
				}
			}
		}
		for _, secret := range []string{"$argon2id$", "iiiiiiii", "staff-account"} {
			if bytes.Contains(all, []byte(secret)) {
				rt.Errorf("%q is in the export", secret)
			}
		}
	})
}

// points are the minutiae of a person's templates as the standard writes them.
func (c *crowd) points(t fatal, person int) (all [][]byte) {
	for _, r := range c.fingers[person] {
		var m matcher.Template
		must(t, m.UnmarshalBinary(r.Data))
		b, err := iso19794.Marshal(&m, iso19794.Meta{})
		must(t, err)
		all = append(all, b[28:len(b)-2]) // without the headers, which are all alike, and the empty extension
	}
	return all
}

func TestAnExportSaysWhatIsHeld(t *testing.T) {
	c := newCrowd(t, t.TempDir()+"/store", []string{"Amina", "Noah"}, 1)
	defer c.st.Close()
	_, err := c.st.Apply([]store.Change{{Seq: 3, Subject: c.people[0], Standing: store.Standing{Decision: consent.Pause, Reasons: []string{"F5"}}}}, 3, nil)
	must(t, err)
	key := newKey(t)
	sealed, err := export.Seal(c.st, export.Site{ID: "oakfield", Name: "Oakfield School", Contact: "dpo@oakfield.example"}, order(c.people[0], key.Recipient().String()))
	must(t, err)
	if bytes.Contains(sealed, []byte("Amina")) {
		t.Fatal("it is not sealed")
	}
	r, files, err := export.Open(sealed, key.String())
	must(t, err)
	if r.Holder != "till-1" || r.Person.Name != "Amina Ng" || !r.Person.PIN || r.Standing.Decision != consent.Pause || len(r.Templates) != 3 {
		t.Errorf("the record: %+v, %+v, %+v", r, r.Person, r.Standing)
	}
	if !slices.ContainsFunc(r.History, func(e export.Event) bool { return e.What == "match" && e.Route == "finger" && e.Band == "strong" }) {
		t.Errorf("no match in the history: %+v", r.History)
	}
	byName := map[string][]byte{}
	for _, f := range files {
		byName[f.Name] = f.Data
	}
	for i, tpl := range r.Templates {
		views, err := iso19794.Unmarshal(byName[tpl.File])
		if err != nil || len(views) != 1 || views[0].Finger != c.fingers[0][i].Finger || len(views[0].Template.Minutiae) != tpl.Minutiae {
			t.Errorf("%s: %v, %+v", tpl.File, err, views)
		}
	}
	for name, wants := range map[string]string{
		"record.csv":  "person.name,Amina Ng\r\n",
		"record.html": "dpo@oakfield.example",
		"schema.json": `"tillprint-subject-export/1"`,
	} {
		if !bytes.Contains(byName[name], []byte(wants)) {
			t.Errorf("%s lacks %q", name, wants)
		}
	}
	last := audit.Event{}
	must(t, c.st.Events(0, func(_ int64, e audit.Event) bool { last = e; return true }))
	if last.Kind != audit.Command || last.Subject != c.people[0] || last.Action != "export/x_0123456789abcdef" {
		t.Errorf("the log says %+v", last)
	}
}

// Whatever goes wrong in gathering an export, one that speaks of somebody else is not sealed.
func TestI8BrokenExportIsNotSealed(t *testing.T) {
	const own, other = "p_aaaaaaaaaaaaaaaaaaaaaaaaaa", "p_bbbbbbbbbbbbbbbbbbbbbbbbbb"
	key := newKey(t)
	for name, breaks := range map[string]func(*export.Record) []export.File{
		"": func(*export.Record) []export.File { return nil },
		"somebody else's event": func(r *export.Record) []export.File {
			r.History = []export.Event{{What: "export/" + other}}
			return nil
		},
		"evidence about a sister": func(r *export.Record) []export.File {
			r.Statements = []export.Statement{{Evidence: "as for " + other}}
			return nil
		},
		"an order about somebody else": func(r *export.Record) []export.File { r.Order.Subject = other; return nil },
		"a record of somebody else":    func(r *export.Record) []export.File { r.Subject = other; return nil },
		"a template of nobody's":       func(*export.Record) []export.File { return []export.File{{Name: "finger-2-view-1.iso"}} },
		"a template that is not there": func(r *export.Record) []export.File {
			r.Templates = []export.Template{{File: "finger-2-view-1.iso"}}
			return nil
		},
		"another template in its place": func(r *export.Record) []export.File {
			r.Templates = []export.Template{{File: "a.iso"}}
			return []export.File{{Name: "b.iso"}}
		},
	} {
		r := &export.Record{Format: export.Format, Subject: own, Order: order(own, key.Recipient().String())}
		files := breaks(r)
		var out bytes.Buffer
		if err := r.Seal(&out, files...); errors.Is(err, export.ErrNotAlone) != (name != "") || (err != nil) != (name != "") {
			t.Errorf("%q: %v", name, err)
		}
		if _, _, err := export.Open(out.Bytes(), key.String()); (err == nil) != (name == "") {
			t.Errorf("%q: what was written opens: %v", name, err)
		}
	}
}

// TestOpenRefusesWhatItShould gives Open what may come by mail.
func TestOpenRefusesWhatItShould(t *testing.T) {
	key, other := newKey(t), newKey(t)
	r := &export.Record{Format: export.Format, Subject: "p_aaaaaaaaaaaaaaaaaaaaaaaaaa", Order: order("p_aaaaaaaaaaaaaaaaaaaaaaaaaa", key.Recipient().String())}
	var good bytes.Buffer
	must(t, r.Seal(&good))
	seal := func(plain string) []byte {
		var b bytes.Buffer
		w, err := age.Encrypt(&b, key.Recipient())
		must(t, err)
		io.WriteString(w, plain)
		must(t, w.Close())
		return b.Bytes()
	}
	zipOf, err := export.Bundle([]export.File{{Name: "../../etc/passwd", Data: []byte("x")}})
	must(t, err)
	empty, err := export.Bundle(nil)
	must(t, err)
	for name, c := range map[string]struct {
		sealed []byte
		key    string
		is     error
	}{
		"another key":        {good.Bytes(), other.String(), nil},
		"no key":             {good.Bytes(), "hello", nil},
		"cut off":            {good.Bytes()[:good.Len()-1], key.String(), export.ErrNotExport},
		"not age":            {[]byte("hello"), key.String(), export.ErrNotExport},
		"no archive":         {seal("hello"), key.String(), export.ErrNotExport},
		"a path out of here": {seal(string(zipOf)), key.String(), export.ErrNotExport},
		"no record":          {seal(string(empty)), key.String(), export.ErrNotExport},
	} {
		if _, _, err := export.Open(c.sealed, c.key); err == nil || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := export.Unbundle(zipOf); !errors.Is(err, export.ErrNotExport) {
		t.Errorf("a bundle with a path out of here: %v", err)
	}
	for _, to := range []string{"", "age1", key.String(), key.Recipient().String() + "\n" + other.Recipient().String(), "ssh-ed25519 AAAA"} {
		if export.CheckRecipient(to) == nil {
			t.Errorf("%q was taken for a recipient", to)
		}
	}
}

func FuzzUnbundle(f *testing.F) {
	b, err := export.Bundle([]export.File{{Name: "hub.age", Data: []byte("x")}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("age-encryption.org/v1\n"))
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, b []byte) {
		parts, err := export.Unbundle(b)
		if err == nil && len(parts) == 0 {
			t.Error("no parts and no error")
		}
	})
}

// TestSchemaIsOfTheRecord holds the published schema against the type, field by field.
func TestSchemaIsOfTheRecord(t *testing.T) {
	var s schema
	must(t, json.Unmarshal([]byte(export.Schema), &s))
	if s.Title != export.Format {
		t.Errorf("the schema is of %q", s.Title)
	}
	s.compare(t, "record", reflect.TypeFor[export.Record]())
}

type schema struct {
	Title      string
	Type       string
	Additional *bool `json:"additionalProperties"`
	Properties map[string]*schema
	Items      *schema
	Required   []string
}

func (s *schema) compare(t *testing.T, path string, of reflect.Type) {
	switch of.Kind() {
	case reflect.Pointer:
		s.compare(t, path, of.Elem())
	case reflect.Slice:
		if of.Elem().Kind() != reflect.Uint8 {
			if s.Type != "array" || s.Items == nil {
				t.Fatalf("%s is a list, and in the schema %q", path, s.Type)
			}
			s.Items.compare(t, path+"[]", of.Elem())
		}
	case reflect.Struct:
		if _, text := reflect.New(of).Interface().(interface{ MarshalText() ([]byte, error) }); text {
			return // dates and times are strings
		}
		s.fields(t, path, of)
	}
}

func (s *schema) fields(t *testing.T, path string, of reflect.Type) {
	if s.Additional == nil || *s.Additional {
		t.Errorf("%s: the schema lets other fields in", path)
	}
	var required []string
	for i := range of.NumField() {
		name, how, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		if s.Properties[name] == nil {
			t.Errorf("the schema lacks %s.%s", path, name)
			continue
		}
		if how == "" {
			required = append(required, name)
		}
		s.Properties[name].compare(t, path+"."+name, of.Field(i).Type)
	}
	if len(s.Properties) != of.NumField() || !slices.Equal(required, s.Required) {
		t.Errorf("%s: the schema has %d fields and requires %v; the type has %d and always writes %v", path, len(s.Properties), s.Required, of.NumField(), required)
	}
}
