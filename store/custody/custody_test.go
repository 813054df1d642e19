package custody_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/custody"
	"github.com/tillprint/tillprint/store/keyslot"
)

// desk is a terminal without sensor and hub: store, gallery, custody.
type desk struct {
	t    *testing.T
	dir  string
	rand *rand.ChaCha8
	now  time.Time
	slot *keyslot.Memory
	step func(string)
	st   *store.Store
	g    *matcher.Gallery
	c    *custody.Custody
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newDesk(t *testing.T) *desk {
	dir, err := os.MkdirTemp("/dev/shm", "tillprint-test-")
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &desk{t: t, dir: filepath.Join(dir, "store"), rand: rand.NewChaCha8([32]byte{2}), now: noon}
	d.slot = &keyslot.Memory{Rand: d.rand}
	if d.st, err = store.Create(d.dir, d.slot, store.Identity{Site: "s", Terminal: "t"}, d.options()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.st.Close() })
	d.custody()
	d.must(d.st.Clock().Witness(noon))
	d.must(d.c.SetLease(noon.Add(72 * time.Hour)))
	return d
}

func (d *desk) options() store.Options {
	return store.Options{Rand: d.rand, Now: func() time.Time { return d.now }, OnStep: func(s string) {
		if d.step != nil {
			d.step(s)
		}
	}}
}

func (d *desk) custody() {
	d.t.Helper()
	d.g = matcher.NewGallery()
	var err error
	d.c, err = custody.Open(d.st, d.g)
	d.must(err)
	d.must(d.c.Load(context.Background()))
}

func (d *desk) restart() { d.restartAt(d.now) }

// restartAt starts the terminal again with its machine's clock at now.
func (d *desk) restartAt(now time.Time) {
	d.t.Helper()
	d.must(d.st.Close())
	d.now = now
	var err error
	d.st, err = store.Open(d.dir, d.slot, store.Identity{}, d.options())
	d.must(err)
	d.custody()
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// enter adds a subject with this standing.
func (d *desk) enter(st store.Standing) consent.SubjectID {
	d.t.Helper()
	id, err := consent.NewSubjectID(d.rand)
	d.must(err)
	d.change(id, st)
	return id
}

func (d *desk) change(id consent.SubjectID, st store.Standing) []store.Receipt {
	d.t.Helper()
	seq, _ := d.st.Applied()
	receipts, err := d.c.Apply(context.Background(), []store.Change{{Seq: seq + 1, Subject: id, Standing: st}}, seq+1, nil)
	d.must(err)
	return receipts
}

func (d *desk) enrolled(ends ...consent.End) consent.SubjectID {
	d.t.Helper()
	id := d.enter(store.Standing{Decision: consent.Permit, Reasons: []string{"A1"}, Ends: ends})
	d.must(d.c.Enrol(context.Background(), d.prints(id)))
	return id
}

// prints are two impressions of each of two fingers.
func (d *desk) prints(id consent.SubjectID) (records []store.TemplateRecord) {
	for _, finger := range []uint8{2, 2, 7, 7} {
		t := &matcher.Template{Width: 300, Height: 300, Quality: 80}
		for range 30 {
			t.Minutiae = append(t.Minutiae, matcher.Minutia{X: float32(d.rand.Uint64() % 300), Y: float32(d.rand.Uint64() % 300), Angle: 1, Kind: matcher.Ending})
		}
		data, err := t.MarshalBinary()
		d.must(err)
		records = append(records, store.TemplateRecord{Subject: id, Finger: finger, Data: data, Enrolled: d.now})
	}
	return records
}

func (d *desk) wantSound() {
	d.t.Helper()
	for _, v := range d.c.Check() {
		d.t.Errorf("%s is broken: %s", v.Invariant, v.Text)
	}
}

func (d *desk) wantMatched(id consent.SubjectID, want bool) {
	d.t.Helper()
	ok, rows := d.c.Permitted(id, d.now)
	if d.g.Has(string(id)) != want || ok != want {
		d.t.Errorf("in the gallery: %t, permitted: %t %v; both should be %t", d.g.Has(string(id)), ok, rows, want)
	}
}

func TestI1EvictionComesBeforeAnythingIsWritten(t *testing.T) {
	d := newDesk(t)
	id, other := d.enrolled(), d.enrolled()
	d.step = func(step string) {
		if d.g.Has(string(id)) || !d.g.Has(string(other)) {
			t.Errorf("at %s the gallery holds %v", step, d.g.Subjects())
		}
	}
	if receipts := d.change(id, store.Standing{Decision: consent.Erase, Reasons: []string{"A12"}}); len(receipts) != 1 {
		t.Errorf("%d receipts", len(receipts))
	}
	d.step = nil
	d.wantMatched(id, false)
	d.wantMatched(other, true)
	d.wantSound()
	d.restart()
	d.wantMatched(id, false)
	d.wantMatched(other, true)
	d.wantSound()
}

// When nothing can be written, the subject is out all the same and stays out.
func TestI1WithdrawalHoldsWhenTheStoreFails(t *testing.T) {
	d := newDesk(t)
	id := d.enrolled()
	d.slot.Fault = func(op string) error { return errors.New("no answer") }
	seq, _ := d.st.Applied()
	withdrawal := []store.Change{{Seq: seq + 1, Subject: id, Standing: store.Standing{Decision: consent.Erase}}}
	if _, err := d.c.Apply(context.Background(), withdrawal, seq+1, nil); err == nil {
		t.Fatal("acknowledged without a key slot")
	}
	d.wantMatched(id, false)
	d.slot.Fault = nil
	if _, err := d.c.Apply(context.Background(), withdrawal, seq+1, nil); err != nil {
		t.Fatal(err)
	}
	d.wantMatched(id, false)
	d.wantSound()
}

func TestI1EnrolmentNeedsAConsentNow(t *testing.T) {
	d := newDesk(t)
	yesterday := consent.DateOf(noon.AddDate(0, 0, -1))
	for name, id := range map[string]consent.SubjectID{
		"paused":      d.enter(store.Standing{Decision: consent.Pause}),
		"refused":     d.enter(store.Standing{Decision: consent.Erase}),
		"past a date": d.enter(store.Standing{Decision: consent.Permit, Ends: []consent.End{{On: yesterday, Decision: consent.Pause, Row: "A2"}}}),
	} {
		if err := d.c.Enrol(context.Background(), d.prints(id)); !errors.Is(err, store.ErrNotPermitted) {
			t.Errorf("%s: enrolled: %v", name, err)
		}
		passed, err := d.c.Adopt(context.Background(), [][]store.TemplateRecord{d.prints(id)})
		if err != nil || !errors.Is(passed[0], store.ErrNotPermitted) {
			t.Errorf("%s: adopted: %v, %v", name, passed, err)
		}
		d.wantMatched(id, false)
	}
	d.wantSound()
}

// Each invariant is broken on purpose, to see it noticed.
func TestI1BrokenByAStranger(t *testing.T) {
	d := newDesk(t)
	known := d.enrolled()
	d.must(d.st.Templates(known, func(r store.TemplateRecord) error {
		var tpl matcher.Template
		d.must(tpl.UnmarshalBinary(r.Data))
		return d.g.Add("p_aaaaaaaaaaaaaaaaaaaaaaaaaa", 2, &tpl)
	}))
	found := d.c.Check()
	if len(found) != 2 || found[0].Invariant != "I1" {
		t.Errorf("found %v", found)
	}
}

// When the lease is over nobody stays in the gallery, and with the next one everybody is back; whoever is found there in between, and
// a disk that knows a longer lease than the hub has given, are noticed.
func TestI7BrokenLease(t *testing.T) {
	d := newDesk(t)
	id := d.enrolled()
	d.now = noon.Add(72*time.Hour + 10*time.Minute)
	if s, err := d.c.Sweep(context.Background()); err != nil || s.Evicted != 1 || s.Loaded != 0 || d.g.Has(string(id)) {
		t.Fatalf("after the lease: %+v, %v", s, err)
	}
	d.wantSound()
	d.must(d.st.Templates(id, func(r store.TemplateRecord) error {
		var tpl matcher.Template
		d.must(tpl.UnmarshalBinary(r.Data))
		return d.g.Add(string(id), 2, &tpl)
	}))
	if found := d.c.Check(); len(found) != 1 || found[0].Invariant != "I7" || !strings.Contains(found[0].Text, "1 subjects are in the gallery") {
		t.Errorf("found %v", found)
	}
	d.g.RemoveSubject(string(id))
	d.must(d.c.SetLease(d.now.Add(time.Hour)))
	d.wantMatched(id, true)
	d.wantSound()
	d.must(d.st.Close())
	if err := d.c.SetLease(d.now.Add(time.Minute)); err == nil {
		t.Fatal("kept without a disk")
	}
	if found := d.c.Check(); !slices.ContainsFunc(found, func(v store.Violation) bool { return v.Invariant == "I7" }) {
		t.Errorf("found %v", found)
	}
}

func TestPauseKeepsTemplatesSealed(t *testing.T) {
	d := newDesk(t)
	id := d.enrolled()
	d.change(id, store.Standing{Decision: consent.Pause, Reasons: []string{"F5"}})
	d.wantMatched(id, false)
	d.must(d.st.EachTemplate(func(r store.TemplateRecord) error { t.Error("a restricted template was yielded"); return nil }))
	if n, _ := d.st.TemplateCount(); n[id] != 4 {
		t.Errorf("%d templates are kept", n[id])
	}
	d.wantSound()
	d.change(id, store.Standing{Decision: consent.Permit})
	d.wantMatched(id, true)
	if d.g.Len() != 4 {
		t.Errorf("%d templates in the gallery", d.g.Len())
	}
	d.wantSound()
}

// A3, A4, I9: a refusal works offline, is queued for the hub, and no word of a hub that does not know of it undoes it.
func TestI9RefusalAtTheTillCannotBeOverridden(t *testing.T) {
	d := newDesk(t)
	id := d.enrolled()
	r, err := d.c.Refuse(context.Background(), id, "Mrs O'Neill") // an account that no log may hold
	d.must(err)
	if v, err := audit.VerifyReceipt(r.Text, d.st.VerifierKey()); err != nil || v.Event.Row != "A3" || v.Event.Count != 4 {
		t.Errorf("receipt: %v, %+v", err, v.Event)
	}
	permit := store.Standing{Decision: consent.Permit}
	d.change(id, permit)
	d.restart()
	d.change(id, permit)
	d.wantMatched(id, false)
	if err := d.c.Enrol(context.Background(), d.prints(id)); !errors.Is(err, store.ErrNotPermitted) {
		t.Errorf("enrolled over a refusal: %v", err)
	}
	item := d.refusal(id)
	seq, _ := d.st.Applied()
	d.must(d.st.RefusalKnown(item.ID, seq+1))
	d.change(id, permit) // this entry is the refusal's own or older
	d.wantMatched(id, false)
	d.change(id, permit) // a consent that came after
	if ok, rows := d.c.Permitted(id, d.now); !ok {
		t.Errorf("a later consent does not count: %v", rows)
	}
	d.must(d.c.Enrol(context.Background(), d.prints(id)))
	d.wantMatched(id, true)
	d.wantSound()
}

func (d *desk) refusal(id consent.SubjectID) store.Item {
	d.t.Helper()
	items, err := d.st.Pending(0)
	d.must(err)
	for _, it := range items {
		if it.Kind == store.ItemRefusal && it.Subject == id {
			return it
		}
	}
	d.t.Fatal("no refusal is queued for the hub")
	return store.Item{}
}

// A hub that says no itself after it has been told ends the terminal's own refusal too, and only then.
func TestI9RefusalEndsWithTheHubsOwnNo(t *testing.T) {
	d := newDesk(t)
	id := d.enrolled()
	_, err := d.c.Refuse(context.Background(), id, "op-1")
	d.must(err)
	no, yes := store.Standing{Decision: consent.Erase}, store.Standing{Decision: consent.Permit}
	d.change(id, no) // for another reason: the hub has not been told
	d.change(id, yes)
	d.wantMatched(id, false)
	d.must(d.st.Done(d.refusal(id).ID))
	d.change(id, no)
	d.change(id, yes)
	if ok, rows := d.c.Permitted(id, d.now); !ok {
		t.Errorf("a later consent does not count: %v", rows)
	}
}

func TestSweepActsOnDates(t *testing.T) {
	d := newDesk(t)
	tomorrow := consent.DateOf(noon.AddDate(0, 0, 1))
	adult := d.enrolled(consent.End{On: tomorrow, Decision: consent.Pause, Row: "A2"})
	leaver := d.enrolled(consent.End{On: tomorrow, Decision: consent.Erase, Row: "D3"})
	stays := d.enrolled()
	if s, err := d.c.Sweep(context.Background()); err != nil || s.Evicted+len(s.Receipts) != 0 {
		t.Fatalf("a day too early: %+v, %v", s, err)
	}
	d.now = noon.AddDate(0, 0, 1)
	if ok, _ := d.c.Permitted(adult, d.now); ok {
		t.Error("permitted past the date, before the sweep")
	}
	s, err := d.c.Sweep(context.Background())
	d.must(err)
	if s.Evicted != 2 || len(s.Receipts) != 1 || s.Receipts[0].Subject != leaver || s.Receipts[0].Event.Row != "D3" {
		t.Errorf("swept: %+v", s)
	}
	n, _ := d.st.TemplateCount()
	if n[adult] != 4 || n[leaver] != 0 || n[stays] != 4 {
		t.Errorf("templates left: %v", n)
	}
	d.wantMatched(stays, true)
	d.wantSound()
}

// A terminal that wakes up in the wrong year rests the fingers and forgets nobody.
func TestSweepWipesNothingByAClockThatIsNotTrusted(t *testing.T) {
	d := newDesk(t)
	id := d.enrolled(consent.End{On: consent.Date{Year: 2030, Month: 7, Day: 1}, Decision: consent.Erase, Row: "D3"})
	d.restartAt(noon.AddDate(30, 0, 0))
	s, err := d.c.Sweep(context.Background())
	d.must(err)
	if n, _ := d.st.TemplateCount(); n[id] != 4 || len(s.Receipts) != 0 {
		t.Errorf("wiped by a clock in %d: %+v", d.now.Year(), s)
	}
	d.wantMatched(id, false)
	d.wantSound()
	d.must(d.st.Clock().Witness(noon.Add(time.Hour))) // the hub knows better
	if _, err := d.c.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !d.g.Has(string(id)) {
		t.Error("the fingers do not come back with the right time")
	}
}

func TestI7FingersRestWhenTheLeaseEnds(t *testing.T) {
	d := newDesk(t)
	id := d.enrolled()
	if on, why := d.c.Fingers(); !on {
		t.Errorf("fingers are off within the lease: %s", why)
	}
	d.now = noon.Add(72 * time.Hour)
	if on, why := d.c.Fingers(); on || !strings.Contains(why, "PIN") {
		t.Errorf("fingers after the lease: %t, %q", on, why)
	}
	// Everything else goes on: people are found, the register is applied, a refusal counts.
	d.enter(store.Standing{Decision: consent.Erase})
	_, err := d.c.Refuse(context.Background(), id, "op-1")
	d.must(err)
	d.restart()
	if on, _ := d.c.Fingers(); on {
		t.Error("a restart has renewed the lease")
	}
	d.now = noon.Add(-48 * time.Hour) // a clock that falls back does not renew it either
	if on, _ := d.c.Fingers(); on {
		t.Error("a clock that fell back has renewed the lease")
	}
	d.must(d.c.SetLease(d.st.Now().Add(time.Hour)))
	if on, why := d.c.Fingers(); !on {
		t.Errorf("a new lease does not count: %s", why)
	}
}

// A lease that could not be written is written when it comes again.
func TestI7LeaseIsKeptAfterADiskError(t *testing.T) {
	d := newDesk(t)
	until := noon.Add(time.Hour)
	d.must(d.st.Close())
	if err := d.c.SetLease(until); err == nil {
		t.Fatal("kept without a disk")
	}
	if err := d.c.SetLease(until); err == nil {
		t.Error("taken for kept the second time")
	}
}

// The hub renews the lease with every answer, once a minute; the card hears of it once an hour, of a shorter one at once, and
// what a restart finds never reaches beyond what the hub has said.
func TestI7LeaseSparesTheCard(t *testing.T) {
	d := newDesk(t)
	writes := 0
	d.step = func(string) { writes++ }
	lease := func(ahead time.Duration) { d.must(d.c.SetLease(d.now.Add(ahead))) }
	for range 180 { // three hours of answers
		d.now = d.now.Add(time.Minute)
		lease(72 * time.Hour)
	}
	if writes != 3 {
		t.Errorf("%d writes in three hours", writes)
	}
	said := d.c.Lease()
	d.restart()
	if kept := d.c.Lease(); kept.After(said) || said.Sub(kept) >= time.Hour {
		t.Errorf("the hub has said %v, a restart finds %v", said, kept)
	}
	writes = 0
	lease(24 * time.Hour)
	if d.restart(); writes != 1 || !d.c.Lease().Equal(d.now.Add(24*time.Hour)) {
		t.Errorf("a shorter lease: %d writes, a restart finds %v", writes, d.c.Lease())
	}
	d.must(d.c.SetLease(time.Time{}))
	if d.restart(); !d.c.Lease().IsZero() {
		t.Error("a restart brings back a lease that was taken away")
	}
	lease(30 * time.Minute)
	for range 5 { // a lease of less than an hour is worth a write each time
		d.now = d.now.Add(time.Minute)
		lease(30 * time.Minute)
	}
	if d.restart(); !d.c.Lease().Equal(d.now.Add(30 * time.Minute)) {
		t.Error("a short lease was not kept")
	}
}

func TestBlockStopsFingersAndKeepsEverything(t *testing.T) {
	d := newDesk(t)
	id := d.enrolled()
	d.must(d.c.SetBlocked(true))
	d.restart()
	if on, _ := d.c.Fingers(); on {
		t.Error("a restart has ended the block")
	}
	d.must(d.c.SetBlocked(false))
	if on, why := d.c.Fingers(); !on {
		t.Error(why)
	}
	d.wantMatched(id, true)
}

// A16: a site without biometrics holds nothing and takes nothing in.
func TestSiteWithoutBiometrics(t *testing.T) {
	d := newDesk(t)
	id := d.enrolled()
	receipts, err := d.c.SetBiometrics(context.Background(), false)
	d.must(err)
	if len(receipts) != 1 || receipts[0].Event.Row != "A16" || d.g.Len() != 0 {
		t.Errorf("%d receipts, %d templates left in the gallery", len(receipts), d.g.Len())
	}
	if passed, err := d.c.Adopt(context.Background(), [][]store.TemplateRecord{d.prints(id)}); err != nil || !errors.Is(passed[0], custody.ErrOff) {
		t.Errorf("adopted: %v, %v", passed, err)
	}
	if err := d.c.Enrol(context.Background(), d.prints(id)); !errors.Is(err, custody.ErrOff) {
		t.Errorf("enrolled: %v", err)
	}
	d.restart()
	if on, _ := d.c.Fingers(); on {
		t.Error("fingers are on after a restart")
	}
	d.wantSound()
}

// One bad enrolment among many from elsewhere keeps out nobody else's, and all of them are one commit.
func TestAdoptionIsOneCommitAndJudgesEachAlone(t *testing.T) {
	d := newDesk(t)
	good, also := d.enter(store.Standing{Decision: consent.Permit}), d.enter(store.Standing{Decision: consent.Permit})
	refused := d.enter(store.Standing{Decision: consent.Erase})
	garbled := d.prints(good)
	garbled[1].Data = []byte("no template")
	steps := 0
	d.step = func(string) { steps++ }
	passed, err := d.c.Adopt(context.Background(), [][]store.TemplateRecord{d.prints(good), d.prints(refused), garbled, d.prints(also)})
	d.must(err)
	d.step = nil
	for i, want := range []error{nil, store.ErrNotPermitted, custody.ErrUnreadable, nil} {
		if !errors.Is(passed[i], want) {
			t.Errorf("enrolment %d: %v, want %v", i, passed[i], want)
		}
	}
	if steps != 2 { // the data keys, the records
		t.Errorf("%d durable steps for one batch", steps)
	}
	d.wantMatched(good, true)
	d.wantMatched(also, true)
	d.wantMatched(refused, false)
	d.wantSound()
}

// A disk that fails decides nothing: the same batch is taken later.
func TestAdoptionIsTriedAgainAfterADiskError(t *testing.T) {
	d := newDesk(t)
	id := d.enter(store.Standing{Decision: consent.Permit})
	d.must(d.st.Close())
	if passed, err := d.c.Adopt(context.Background(), [][]store.TemplateRecord{d.prints(id)}); err == nil {
		t.Fatalf("without a disk: %v", passed)
	}
}

// A16 when the disk fails: fingers are off at once, and the next try, or the next start and its sweep, completes it.
func TestSiteWithoutBiometricsAfterADiskError(t *testing.T) {
	d := newDesk(t)
	id := d.enrolled()
	d.slot.Fault = func(string) error { return errors.New("no answer") }
	if _, err := d.c.SetBiometrics(context.Background(), false); err == nil {
		t.Fatal("acknowledged without a key slot")
	}
	if on, _ := d.c.Fingers(); on || d.g.Len() != 0 {
		t.Error("fingers are on")
	}
	d.slot.Fault = nil
	if receipts, err := d.c.SetBiometrics(context.Background(), false); err != nil || len(receipts) != 1 {
		t.Errorf("the second try: %d receipts, %v", len(receipts), err)
	}
	if receipts, err := d.c.SetBiometrics(context.Background(), false); err != nil || len(receipts) != 0 {
		t.Errorf("the third try: %d receipts, %v", len(receipts), err)
	}
	d.restart()
	if on, _ := d.c.Fingers(); on || d.st.HasFingerKey(id) {
		t.Error("fingers are back after a restart")
	}
	if _, err := d.c.SetBiometrics(context.Background(), true); err != nil || !d.c.Biometrics() {
		t.Errorf("turned on again: %v", err)
	}
	d.wantSound()
}

// A refusal whose wipe breaks off is pressed again: one no, one receipt, and a later change of mind counts.
func TestRefusalIsPressedAgainAfterADiskError(t *testing.T) {
	d := newDesk(t)
	id := d.enrolled()
	d.slot.Fault = func(string) error { return errors.New("no answer") }
	for range 2 {
		if _, err := d.c.Refuse(context.Background(), id, "op-1"); err == nil {
			t.Fatal("acknowledged without a key slot")
		}
		d.wantMatched(id, false)
	}
	d.slot.Fault = nil
	r, err := d.c.Refuse(context.Background(), id, "op-1")
	if err != nil || r.Subject != id {
		t.Fatalf("receipt for %q, %v", r.Subject, err)
	}
	count := map[string]int{}
	var refusal uint64
	items, err := d.st.Pending(0)
	d.must(err)
	for _, it := range items {
		if count[it.Kind]++; it.Kind == store.ItemRefusal {
			refusal = it.ID
		}
	}
	if count[store.ItemRefusal] != 1 || count[store.ItemReceipt] != 1 {
		t.Errorf("waiting for the hub: %v", count)
	}
	d.must(d.st.RefusalKnown(refusal, 1))
	d.change(id, store.Standing{Decision: consent.Permit})
	if ok, rows := d.c.Permitted(id, noon); !ok {
		t.Errorf("a change of mind does not count: %v", rows)
	}
}

// A refusal does not wait for a long write that is under way: the subject is out of the gallery while it goes on.
func TestI1EvictionDoesNotWaitForWriters(t *testing.T) {
	d := newDesk(t)
	id, other := d.enrolled(), d.enter(store.Standing{Decision: consent.Permit})
	refused := make(chan error, 1)
	d.step = func(string) {
		d.step = nil
		go func() { _, err := d.c.Refuse(context.Background(), id, "op-1"); refused <- err }()
		guard := time.Now().Add(10 * time.Second)
		for d.g.Has(string(id)) { // ends well only if the eviction comes through in the middle of Enrol
			if runtime.Gosched(); time.Now().After(guard) {
				t.Error("the eviction waits for the writer")
				return
			}
		}
	}
	d.must(d.c.Enrol(context.Background(), d.prints(other)))
	d.must(<-refused)
	d.wantMatched(id, false)
	d.wantMatched(other, true)
	d.wantSound()
}

// Searches, withdrawals, enrolments and refusals at the same time; run it with the race detector.
func TestConcurrentUse(t *testing.T) {
	d := newDesk(t)
	ids := []consent.SubjectID{d.enrolled(), d.enrolled(), d.enrolled()}
	records := d.prints(ids[2])
	done := make(chan error, 4)
	go func() { _, err := d.c.Refuse(context.Background(), ids[0], "op-1"); done <- err }()
	go func() {
		seq, _ := d.st.Applied()
		_, err := d.c.Apply(context.Background(), []store.Change{{Seq: seq + 1, Subject: ids[1], Standing: store.Standing{}}}, seq+1, nil)
		done <- err
	}()
	go func() { done <- d.c.Enrol(context.Background(), records) }()
	go func() {
		for range 50 {
			d.c.Permitted(ids[0], noon)
			d.c.Fingers()
			d.c.Check()
		}
		done <- nil
	}()
	for range 4 {
		d.must(<-done)
	}
	d.wantMatched(ids[0], false)
	d.wantMatched(ids[1], false)
	d.wantMatched(ids[2], true)
	d.wantSound()
}
