package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
)

// onlyHere lists what nobody but this terminal knows: messages that the hub has not had, refusals at the till, who was served today.
func onlyHere(s *Store) (unsent []string, err error) {
	items, err := s.Pending(0)
	for _, it := range items {
		if !it.Refetched && it.Kind != ItemShare {
			unsent = append(unsent, fmt.Sprint(it.Kind, " ", it.Subject, " ", it.Text))
		}
	}
	for id, st := range s.standings {
		if st.Refusal != nil {
			unsent = append(unsent, fmt.Sprint("refused ", id))
		}
	}
	today := consent.DateOf(s.now())
	err = errors.Join(err, s.Recent(func(_ int64, e audit.Event) bool {
		if e.Kind == audit.Match && e.Subject != "" && consent.DateOf(e.At.In(s.o.Location)) == today {
			unsent = append(unsent, fmt.Sprint("served ", e.Subject, " ", e.At))
		}
		return true
	}))
	slices.Sort(unsent)
	return unsent, err
}

// salvageScript loses its records and takes what it can out of them.
var salvageScript = []scripted{
	{"create", (*canteen).create},
	{"people join", func(c *canteen) error { return c.apply(consent.Permit, c.withPerson, 0, 1, 2, 3) }},
	{"enrol here", func(c *canteen) error { return c.enrol("", 2, 0, 1, 2) }},
	{"lunch", func(c *canteen) error { return c.serve(1, 3) }},
	{"queue", func(c *canteen) error {
		_, err := c.st.Enqueue(Item{Kind: "alert", Text: "The pad rests."})
		return err
	}},
	{"withdrawal", func(c *canteen) error { return c.apply(consent.Erase, nil, 0) }},
	{"refusal", func(c *canteen) error { _, err := c.st.Refuse(c.ids[1], "op-1"); return err }},
	{"damage", func(c *canteen) error {
		err := errors.Join(c.st.Close(), loseHeads(c.dir))
		c.st = nil
		return err
	}},
	{"start", (*canteen).reopen},
	{"queue after it", func(c *canteen) error {
		_, err := c.st.Enqueue(Item{Kind: "alert", Text: "The hub is away."})
		return err
	}},
	{"lunch after it", func(c *canteen) error { return c.serve(2) }},
}

// serve logs what a till logs as it serves somebody.
func (c *canteen) serve(numbers ...int) error {
	var events []audit.Event
	for _, n := range numbers {
		events = append(events, audit.Event{Kind: audit.Match, Subject: c.ids[n], Route: "finger", Band: audit.Strong, Limit: "11.2"})
	}
	return c.st.Append(events...)
}

// loseHeads overwrites both heads of the records, without which no database opens them.
func loseHeads(dir string) error {
	f, err := os.OpenFile(filepath.Join(dir, "store", recordsName), os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil // not yet, or set aside already
	}
	if err != nil {
		return err
	}
	_, err = f.WriteAt(make([]byte, 2*os.Getpagesize()), 0)
	return errors.Join(err, f.Sync(), f.Close())
}

// wantSalvaged opens a disk and looks for what must be there.
func (j judge) wantSalvaged(marks int, where string, want []string) {
	c := newCanteen(j.dir, 2)
	c.now = j.promises[marks-1].Now
	if err := c.openWhichever(); err != nil {
		j.t.Errorf("%s: %v", where, err)
		return
	}
	defer c.st.Close()
	got, err := onlyHere(c.st)
	if err != nil {
		j.t.Errorf("%s: %v", where, err)
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			j.t.Errorf("%s, after %q: lost: %.60q", where, j.promises[marks-1].Name, w)
		}
	}
	for _, v := range c.st.Check() {
		j.t.Errorf("%s: %s: %s", where, v.Invariant, v.Text)
	}
	if key := j.revived(marks); key != "" {
		j.t.Errorf("%s: %s", where, key)
	}
}

// Every disk that a power cut can leave at any moment loses its records' heads on top of it: what the hub has not been told of is
// taken over from what is left, whatever was being done.
func TestI2SalvageFromEveryCrashState(t *testing.T) {
	trace, promises := recordScript(t)
	j := newJudge(t, trace, promises)
	n := 0
	for s := range sampled(trace.States(crashBounds(3, 24))) {
		if s.Marks == 0 || promises[s.Marks-1].Holds == "" || s.Marks < len(promises) && promises[s.Marks].Holds == "" || t.Failed() {
			continue // no store, or the end of one
		}
		want := promises[s.Marks-1].Unsent
		if s.Marks < len(promises) { // what is being taken off the queue may be gone
			want = slices.DeleteFunc(slices.Clone(want), func(w string) bool { return !slices.Contains(promises[s.Marks].Unsent, w) })
		}
		if err := errors.Join(s.WriteTo(j.dir), loseHeads(j.dir)); err != nil {
			t.Fatal(err)
		}
		j.wantSalvaged(s.Marks, s.Where, want)
		n++
	}
	t.Logf("%d disks", n)
	if n < 50 {
		t.Errorf("only %d disks were built", n)
	}
}

// The salvage itself is cut at every moment: the next start takes over the same.
func TestI2SalvageIsCutAtEveryMoment(t *testing.T) {
	trace, promises := record(t, "salvage")
	j := newJudge(t, trace, promises)
	damage := slices.IndexFunc(salvageScript, func(op scripted) bool { return op.name == "damage" })
	promises[damage].Killed = nil // its store was closed, no key has died
	want := promises[damage-1].Unsent
	if len(want) < 7 { // an alert, a refusal of both sorts, two receipts, two lunches
		t.Fatalf("only %d things are unsent", len(want))
	}
	n := 0
	for s := range trace.States(crashBounds(8, 256)) {
		if s.Marks <= damage || t.Failed() {
			continue
		}
		if err := s.WriteTo(j.dir); err != nil {
			t.Fatal(err)
		}
		j.wantSalvaged(s.Marks, s.Where, want)
		n++
	}
	t.Logf("%d disks", n)
	if n < 20 {
		t.Errorf("only %d disks were built", n)
	}
}
