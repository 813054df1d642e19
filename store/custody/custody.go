package custody

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/store"
)

// Custody is safe for concurrent use.
type Custody struct {
	st *store.Store
	g  *matcher.Gallery

	write sync.Mutex // held over each change of gallery and store together
	wait  patience   // with wipes by dates that are too many at once; guarded by write

	telling sync.Mutex // guards told
	told    *told      // of broken invariants; nil before the first Tell

	mu     sync.RWMutex               // guards what follows; never held while waiting for anything
	barred map[consent.SubjectID]int  // losing permission in calls that run now: how many
	failed map[consent.SubjectID]bool // should have lost it, but nothing could be written
	dated  int                        // whose fingers a wipe of many by dates would destroy that waits
	lease  time.Time                  // fingers may be matched until then; zero: no lease yet
	kept   time.Time                  // the lease that the disk holds
	off    bool                       // the site has no biometrics (A16)
	keep   consent.Date               // while off: the first day on which what is sealed goes; unknown for at once
	wiped  bool                       // off is on the disk, and everything that it ends is wiped
	block  bool                       // the hub has blocked this terminal (H6)
}

// Open prepares the custody of an open store and an empty gallery, whose writes are its own from here on. Call Load
// before matching.
func Open(st *store.Store, g *matcher.Gallery) (*Custody, error) {
	c := &Custody{st: st, g: g, barred: map[consent.SubjectID]int{}, failed: map[consent.SubjectID]bool{}}
	if err := c.loadSwitches(); err != nil {
		return nil, fmt.Errorf("taking the templates into custody: %w", err)
	}
	st.OnWipe(func(id consent.SubjectID) { g.RemoveSubject(string(id)) })
	return c, nil
}

// Load fills the gallery with the templates of everybody who is permitted now. Subjects that are in it already are left alone.
func (c *Custody) Load(ctx context.Context) error {
	c.write.Lock()
	defer c.write.Unlock()
	return c.loadAll(ctx)
}

func (c *Custody) loadAll(ctx context.Context) error {
	pupils := map[consent.SubjectID]bool{}
	err := c.st.People(func(id consent.SubjectID, p store.Person) bool {
		pupils[id] = p.Class == consent.Pupil
		return true
	})
	if err != nil {
		return fmt.Errorf("telling pupils, whose fingers grow: %w", err)
	}
	return c.load(ctx, pupils, c.st.EachTemplate)
}

// load adds what walk yields, finger by finger: walk gives all templates of a finger one after the other. Those of pupils
// grow as their fingers have since they were taken; in the store they stay as they are.
func (c *Custody) load(ctx context.Context, pupils map[consent.SubjectID]bool, walk func(func(store.TemplateRecord) error) error) error {
	if !c.Biometrics() || c.resting() {
		return nil
	}
	locked.Scrub()
	defer locked.Scrub()
	l := loader{c: c, pupils: pupils, now: c.st.Clock().Now(), present: map[consent.SubjectID]bool{}}
	defer l.drop()
	err := walk(func(r store.TemplateRecord) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return l.take(r)
	})
	if err == nil {
		err = l.flush()
	}
	if err != nil {
		return fmt.Errorf("loading the gallery: %w", err)
	}
	return nil
}

// loader collects the templates of one finger, so that the gallery is written once a finger.
type loader struct {
	c         *Custody
	pupils    map[consent.SubjectID]bool // of the subjects that are loaded
	now       time.Time
	present   map[consent.SubjectID]bool // who was in the gallery before this load
	subject   consent.SubjectID
	finger    uint8
	templates []*matcher.Template
}

func (l *loader) take(r store.TemplateRecord) error {
	if r.Subject != l.subject || r.Finger != l.finger {
		if err := l.flush(); err != nil {
			return err
		}
		if r.Subject != l.subject {
			l.present[r.Subject] = l.c.g.Has(string(r.Subject))
		}
		l.subject, l.finger = r.Subject, r.Finger
	}
	if l.present[r.Subject] {
		return nil
	}
	t := new(matcher.Template)
	if err := t.UnmarshalBinary(r.Data); err != nil {
		return err
	}
	if l.pupils[r.Subject] {
		t.Grow(matcher.GrowthSince(l.now.Sub(r.Enrolled).Hours() / hoursInYear))
	}
	l.templates = append(l.templates, t)
	return nil
}

const hoursInYear = 365.25 * 24

func (l *loader) flush() error {
	defer l.drop()
	if len(l.templates) == 0 || l.c.isBarred(l.subject) {
		return nil
	}
	return l.c.g.Add(string(l.subject), l.finger, l.templates...)
}

// drop clears the templates in clear.
func (l *loader) drop() {
	for _, t := range l.templates {
		t.Clear()
	}
	l.templates = l.templates[:0]
}

// Apply makes register changes take effect: whoever loses permission is out of the gallery when Apply begins
// writing, and stays out also when writing fails. See store.Apply for what is durable when it returns.
func (c *Custody) Apply(ctx context.Context, changes []store.Change, seq uint64, checkpoint []byte) ([]store.Receipt, error) {
	var barred []consent.SubjectID
	for _, ch := range changes {
		if ch.Standing.Decision != consent.Permit || ch.Leaver {
			barred = append(barred, ch.Subject)
		}
	}
	c.bar(barred)
	c.write.Lock()
	defer c.write.Unlock()
	c.evict(barred) // what was added while waiting
	receipts, err := c.st.Apply(changes, seq, checkpoint)
	c.unbar(barred, err)
	if err != nil {
		return receipts, err
	}
	return receipts, c.settle(ctx, changes)
}

// settle brings the gallery of the changed subjects in line with the store.
func (c *Custody) settle(ctx context.Context, changes []store.Change) error {
	now := c.st.Clock().Now()
	for _, ch := range changes {
		d, _ := c.st.Decision(ch.Subject, now)
		switch {
		case d != consent.Permit:
			c.g.RemoveSubject(string(ch.Subject))
		case c.st.HasFingerKey(ch.Subject) && !c.g.Has(string(ch.Subject)): // a pause has ended
			if err := c.loadSubject(ctx, ch.Subject); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Custody) loadSubject(ctx context.Context, id consent.SubjectID) error {
	person, err := c.st.Person(id)
	pupils := map[consent.SubjectID]bool{id: err == nil && person.Class == consent.Pupil} // of whom nothing is known, nothing grows
	return c.load(ctx, pupils, func(f func(store.TemplateRecord) error) error { return c.st.Templates(id, f) })
}

// Refuse is a subject's no at this terminal (A3): one press, offline, no reason asked, nobody can undo it here (I9). The
// subject is out of the gallery before Refuse does anything else. by is the operator's account. Also an error
// leaves the subject refused in memory until the next start; the caller shows it and presses again.
func (c *Custody) Refuse(_ context.Context, subject consent.SubjectID, by string) (store.Receipt, error) {
	c.bar([]consent.SubjectID{subject})
	c.write.Lock()
	defer c.write.Unlock()
	c.evict([]consent.SubjectID{subject})
	r, err := c.st.Refuse(subject, by)
	c.unbar([]consent.SubjectID{subject}, err)
	return r, err
}

// Permitted reports whether a finger of this subject may be processed now, and the rows that say so or not. It asks
// the subject's standing; whether fingers may be used at all is Fingers' answer.
func (c *Custody) Permitted(subject consent.SubjectID, now time.Time) (bool, []string) {
	if c.isBarred(subject) {
		return false, []string{"A12"}
	}
	d, rows := c.st.Decision(subject, now)
	return d == consent.Permit, rows
}

// bar keeps subjects out of matching at once, whoever holds the write lock.
func (c *Custody) bar(ids []consent.SubjectID) {
	c.mu.Lock()
	for _, id := range ids {
		c.barred[id]++
	}
	c.mu.Unlock()
	c.evict(ids)
}

// unbar ends what bar began: the store answers for these subjects again. After an error they stay out until a later
// call has succeeded, since the store may not know yet.
func (c *Custody) unbar(ids []consent.SubjectID, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids {
		if c.barred[id]--; c.barred[id] <= 0 {
			delete(c.barred, id)
		}
		if err != nil {
			c.failed[id] = true
		} else {
			delete(c.failed, id)
		}
	}
}

func (c *Custody) isBarred(id consent.SubjectID) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.barred[id] > 0 || c.failed[id]
}

func (c *Custody) evict(ids []consent.SubjectID) {
	for _, id := range ids {
		c.g.RemoveSubject(string(id))
	}
}

// What keeps an enrolment out, besides store.ErrNotPermitted.
var (
	ErrOff        = errors.New("fingers are not in use at this terminal")
	ErrUnreadable = errors.New("the template cannot be read: bring the terminals to the same release and enrol the finger again")
)
