package till

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
)

const (
	mostFound    = 12          // people that one look-up shows
	mostQuery    = 64          // bytes of a query that are looked at
	directoryAge = time.Minute // after which the directory is made anew, come what may
)

// Match is one person of a look-up.
type Match struct {
	Subject consent.SubjectID
	Name    string
	Form    string
	Photo   bool
}

// entry is a person of the directory.
type entry struct {
	Match
	words []string // of the name and the form, folded
}

// directory finds people by the beginnings of their names. It is made anew when
// the store has applied something, so that a leaver is gone from it at once, and
// when it is told that people have changed.
type directory struct {
	people People
	mu     sync.Mutex // guards what follows; look-ups may overlap
	made   time.Time  // zero: not made, or known to be old
	seq    uint64     // of the register, when it was made
	all    []entry
}

// find returns the first people, by name, of whom each word of the query begins
// a different word of name or form.
func (d *directory) find(query string) ([]Match, error) {
	words := fold(query[:min(len(query), mostQuery)])
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.refresh(); err != nil {
		return nil, err
	}
	var found []Match
	for _, e := range d.all {
		if matches(e.words, words) {
			found = append(found, e.Match)
			if len(found) == mostFound {
				break
			}
		}
	}
	return found, nil
}

func (d *directory) refresh() error {
	seq, _ := d.people.Applied()
	if !d.made.IsZero() && seq == d.seq && time.Since(d.made) < directoryAge {
		return nil
	}
	d.all = d.all[:0]
	err := d.people.People(func(id consent.SubjectID, p store.Person) bool {
		d.all = append(d.all, entry{Match{id, p.Name, p.Form, len(p.Photo) > 0}, fold(p.Name + " " + p.Form)})
		return true
	})
	if err != nil {
		d.made = time.Time{}
		return fmt.Errorf("till: reading the people: %w; serve by PIN or cash and tell the office", err)
	}
	slices.SortFunc(d.all, func(a, b entry) int { return strings.Compare(strings.Join(a.words, " "), strings.Join(b.words, " ")) })
	d.made, d.seq = time.Now(), seq
	return nil
}

// PeopleChanged tells the till that records of people have come or gone, so that
// the next look-up reads them anew.
func (t *Till) PeopleChanged() {
	t.names.mu.Lock()
	defer t.names.mu.Unlock()
	t.names.made = time.Time{}
}

// Lookup finds people by the beginnings of their names, without regard to case
// and accents; an empty query only opens the look-up. The list goes to the
// caller alone, not to everybody who watches the till (H13).
func (t *Till) Lookup(ctx context.Context, query string) ([]Match, error) {
	barred := false
	err := t.do(ctx, func() error {
		if t.enrolling() {
			return ErrBusy
		}
		if barred = t.cashOnly(); barred {
			return nil
		}
		if t.view.State != Looking {
			t.enter(Looking, "", stayLooking)
			return nil
		}
		t.timer.Reset(stayLooking)
		return nil
	})
	if err != nil || barred {
		return nil, err
	}
	return t.names.find(query)
}

// Choose proposes a person whom the operator picked from a look-up.
func (t *Till) Choose(ctx context.Context, subject consent.SubjectID) error {
	if _, err := consent.ParseSubjectID(string(subject)); err != nil {
		return err
	}
	return t.do(ctx, func() error {
		if t.enrolling() {
			return ErrBusy
		}
		if t.cashOnly() {
			return nil
		}
		t.record(audit.Event{Kind: audit.Operator, Action: actionChosen, Subject: subject, Route: routeName})
		t.propose(identity{subject: subject, route: routeName}, "The operator picked the name. Compare the face.")
		return nil
	})
}

// PersonPhoto returns the picture of a person in a look-up.
func (t *Till) PersonPhoto(subject consent.SubjectID) ([]byte, error) {
	p, err := t.person(subject)
	return p.Photo, err
}
