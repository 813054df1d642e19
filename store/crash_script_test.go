package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/keyslot"
)

// canteen is a terminal's store in the hands of a script that uses everything that writes.
type canteen struct {
	dir  string
	rand *rand.ChaCha8
	now  time.Time
	st   *Store // nil before it is made and after it has been destroyed
	ids  []consent.SubjectID
}

var crashID = Identity{Site: "st-mary", Terminal: "till-1"}

// newCanteen has the same pupils every time. What it draws after that depends on draw: a second process that drew the
// bytes of the first once more would bring its keys back.
func newCanteen(dir string, draw byte) *canteen {
	c := &canteen{dir: dir, rand: rand.NewChaCha8([32]byte{3}), now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	for range 60 {
		id, err := consent.NewSubjectID(c.rand)
		if err != nil {
			panic(err)
		}
		c.ids = append(c.ids, id)
	}
	c.rand.Seed([32]byte{draw})
	return c
}

func (c *canteen) folder() string { return filepath.Join(c.dir, "store") }

func (c *canteen) options() Options {
	return Options{Rand: c.rand, Now: func() time.Time { return c.now }, Timeout: 50 * time.Millisecond}
}

// slot opens the key file, or makes it when there is none, as joining a hub does.
func (c *canteen) slot() (keyslot.Slot, error) {
	path := filepath.Join(c.dir, "root.key")
	slot, err := keyslot.OpenFile(path, c.rand)
	if errors.Is(err, fs.ErrNotExist) {
		return keyslot.CreateFile(path, c.rand)
	}
	return slot, err
}

func (c *canteen) create() error {
	slot, err := c.slot()
	if err == nil {
		c.st, err = Create(c.folder(), slot, crashID, c.options())
	}
	return err
}

func (c *canteen) reopen() error {
	if c.st != nil {
		if err := c.st.Close(); err != nil {
			return err
		}
	}
	return c.openWhichever()
}

// keyFiles are the two slots between which the script moves the root key.
var keyFiles = [2]string{"root.key", "other.key"}

// openWhichever opens the store with the slot that holds its key, and empties the other one, as the daemon does after a
// move that was cut.
func (c *canteen) openWhichever() error {
	var first error
	for n, name := range keyFiles {
		slot, err := keyslot.OpenFile(filepath.Join(c.dir, name), c.rand)
		if err == nil {
			c.st, err = Open(c.folder(), slot, crashID, c.options())
		}
		if err != nil {
			first = errors.Join(first, err)
			continue
		}
		other, err := keyslot.OpenFile(filepath.Join(c.dir, keyFiles[1-n]), c.rand)
		if err != nil {
			return nil // it is not there, or holds no key
		}
		return other.Destroy()
	}
	return first
}

// move takes the root key to the slot in a file, which is made if there is none.
func (c *canteen) move(name string) error {
	path := filepath.Join(c.dir, name)
	slot, err := keyslot.CreateFile(path, c.rand)
	if errors.Is(err, fs.ErrExist) {
		slot, err = keyslot.OpenFile(path, c.rand)
	}
	if err != nil {
		return err
	}
	return c.st.Move(slot)
}

// apply gives the subjects with these numbers one standing each, in one batch; edit may change them.
func (c *canteen) apply(d consent.Decision, edit func(n int, ch *Change), numbers ...int) error {
	seq, _ := c.st.Applied()
	var changes []Change
	for _, n := range numbers {
		seq++
		ch := Change{Seq: seq, Subject: c.ids[n], Standing: Standing{Decision: d, Reasons: []string{"A12"}}}
		if edit != nil {
			edit(n, &ch)
		}
		changes = append(changes, ch)
	}
	_, err := c.st.Apply(changes, seq, fmt.Append(nil, "head ", seq))
	return err
}

func (c *canteen) withPerson(n int, ch *Change) {
	p := c.person(n, 1)
	ch.Person = &p
}

func (c *canteen) person(n int, revision byte) Person {
	return Person{Name: fmt.Sprint("Pupil ", n), Form: "8B", Class: consent.Pupil, PINIndex: bytes.Repeat([]byte{byte(n), revision}, 16),
		PINVerifier: fmt.Sprint("verifier ", n, revision), Revision: uint64(revision)}
}

func (c *canteen) enrol(from string, per int, numbers ...int) error {
	var records []TemplateRecord
	for _, n := range numbers {
		for i := range per {
			data := make([]byte, 500)
			c.rand.Read(data)
			records = append(records, TemplateRecord{Subject: c.ids[n], Finger: uint8(2 + i/3), Data: data, Enrolled: c.now, From: from})
		}
	}
	return c.st.PutTemplates(records)
}

// prune wants something to be dropped.
func (c *canteen) prune(keep time.Duration, countersigned int64) error {
	if err := c.st.Clock().Witness(c.now); err != nil {
		return err
	}
	n, err := c.st.PruneLog(keep, countersigned)
	if err == nil && n == 0 {
		err = errors.New("nothing was pruned")
	}
	return err
}

func span(from, to int) (numbers []int) {
	for n := from; n < to; n++ {
		numbers = append(numbers, n)
	}
	return numbers
}

// scripted is one operation of a script.
type scripted struct {
	name string
	do   func(c *canteen) error
}

// crashScript is every operation of the store that writes, each where it has something to do.
var crashScript = []scripted{
	{"create", (*canteen).create},
	{"secrets", func(c *canteen) error {
		return c.st.SetSecrets(map[string][]byte{"pepper": []byte("p"), "hub": []byte("h")})
	}},
	{"people join", func(c *canteen) error { return c.apply(consent.Permit, c.withPerson, 0, 1, 2, 3) }},
	{"enrol here", func(c *canteen) error { return c.enrol("", 2, 0, 1, 2) }},
	{"enrol from elsewhere", func(c *canteen) error { return c.enrol("till-2", 3, 3) }},
	{"people", func(c *canteen) error {
		return c.st.PutPeople([]PersonRecord{{c.ids[0], c.person(0, 2)}, {c.ids[1], c.person(1, 2)}})
	}},
	{"PIN change", func(c *canteen) error { return c.st.PutPeople([]PersonRecord{{c.ids[3], c.person(3, 9)}}) }},
	{"setting", func(c *canteen) error { return c.st.SetSetting("lease", bytes.Repeat([]byte("x"), 5000)) }},
	{"setting removed", func(c *canteen) error { return c.st.SetSetting("lease", nil) }},
	{"audit", func(c *canteen) error {
		return c.st.Append(audit.Event{Kind: audit.Match, Subject: c.ids[1], Route: "finger", Band: audit.Strong})
	}},
	{"queue", func(c *canteen) error {
		_, err := c.st.Enqueue(Item{Kind: "alert", Text: "The pad rests."})
		return err
	}},
	{"queue cleared", func(c *canteen) error { return c.st.Done(1, 2) }},
	{"pause", func(c *canteen) error { return c.apply(consent.Pause, nil, 3) }},
	{"withdrawal", func(c *canteen) error { return c.apply(consent.Erase, nil, 0) }},
	{"consent again", func(c *canteen) error { return c.apply(consent.Permit, nil, 0) }},
	{"enrol again", func(c *canteen) error { return c.enrol("", 2, 0) }},
	{"refusal", func(c *canteen) error { _, err := c.st.Refuse(c.ids[1], "op-1"); return err }},
	{"refusal known", func(c *canteen) error {
		refusal := c.st.standings[c.ids[1]].Refusal
		return c.st.RefusalKnown(refusal.Item, 8)
	}},
	{"mixed batch", func(c *canteen) error {
		return c.apply(consent.Erase, func(n int, ch *Change) {
			ch.Leaver = n == 2
			if n == 4 {
				ch.Standing.Decision = consent.Permit
				ch.Standing.Ends = []consent.End{{On: consent.Date{Year: 2026, Month: 11, Day: 24}, Decision: consent.Erase, Row: "D3"}}
				c.withPerson(n, ch)
			}
		}, 0, 2, 4)
	}},
	{"enrol until tomorrow", func(c *canteen) error { return c.enrol("", 6, 4) }},
	{"clock", func(c *canteen) error { return c.st.Clock().Witness(c.now.Add(time.Minute)) }},
	{"tomorrow", func(c *canteen) error { c.now = c.now.Add(30 * time.Hour); return c.st.Clock().Tick() }},
	{"wipe by date", func(c *canteen) error { _, err := c.st.Wipe([]Ending{{c.ids[4], "D3"}}); return err }},
	{"log pruned", func(c *canteen) error { return c.prune(29*time.Hour, 8) }},
	{"log pruned further", func(c *canteen) error { return c.prune(0, 1000) }},
	{"restart", (*canteen).reopen},
	{"move", func(c *canteen) error { return c.move("other.key") }},
	{"restart after the move", (*canteen).reopen},
	{"move back", func(c *canteen) error { return c.move("root.key") }},
	{"a year joins", func(c *canteen) error { return c.apply(consent.Permit, c.withPerson, span(10, 60)...) }},
	{"a year enrols", func(c *canteen) error { return c.enrol("till-2", 6, span(10, 60)...) }},
	{"leavers", func(c *canteen) error {
		return c.apply(consent.Erase, func(_ int, ch *Change) { ch.Leaver = true }, span(10, 30)...)
	}},
	{"fingers given up", func(c *canteen) error { _, err := c.st.WipeAll("A16"); return err }},
	{"destroy", func(c *canteen) error { err := c.st.Destroy(); c.st = nil; return err }},
	{"set aside", func(c *canteen) error { _, err := SetAside(c.folder(), c.options()); return err }},
	{"create anew", (*canteen).create},
}
