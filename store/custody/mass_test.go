package custody_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
)

// school enrols n subjects who all leave on the same day.
func (d *desk) school(n int, leave consent.Date) []consent.SubjectID {
	ids := make([]consent.SubjectID, n)
	for i := range ids {
		ids[i] = d.enrolled(consent.End{On: leave, Decision: consent.Erase, Row: "D3"})
	}
	return ids
}

func (d *desk) wantKeys(what string, n int) {
	d.t.Helper()
	if got := d.st.FingerKeys(); got != n {
		d.t.Errorf("%s: fingers of %d subjects can be opened, want %d", what, got, n)
	}
}

// sweepFor lets the terminal run, with a sweep every ten minutes.
func (d *desk) sweepFor(run time.Duration) {
	d.t.Helper()
	for end := d.now.Add(run); d.now.Before(end); {
		d.now = d.now.Add(10 * time.Minute)
		_, err := d.c.Sweep(context.Background())
		d.must(err)
	}
}

// H1: a hub whose clock has jumped by years reaches every date there is. Matching ends at once, and the wipe takes a day of running,
// through restarts and further jumps.
func TestH1DatesThatComeAllAtOnceDoNotForgetASchool(t *testing.T) {
	d := newDesk(t)
	leave := consent.Date{Year: 2031, Month: 7, Day: 20}
	ids := d.school(15, leave)
	d.must(d.st.Clock().Witness(time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC)))
	d.sweepFor(10 * time.Minute)
	for _, id := range ids {
		if ok, _ := d.c.Permitted(id, d.st.Now()); ok || d.g.Has(string(id)) {
			t.Error("matched after the date")
		}
	}
	d.wantKeys("after the jump", 15)
	if d.c.Waiting() == "" {
		t.Error("the operator is told nothing")
	}
	d.wantSound()
	d.sweepFor(12 * time.Hour)
	d.must(d.st.Clock().Tick())
	d.restartAt(d.now)
	if _, err := d.c.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	d.must(d.st.Clock().Witness(time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)))
	d.sweepFor(10 * time.Hour)
	d.wantKeys("after 22 hours, a restart and another jump", 15)
	d.wantSound()
	d.sweepFor(3 * time.Hour)
	d.wantKeys("after a day", 0)
	if d.c.Waiting() != "" {
		t.Errorf("nothing waits any more: %s", d.c.Waiting())
	}
	d.wantSound()
}

// A terminal that is told of each leaver by the hub wipes at once, however many: the hub has asked the office.
func TestH1TheHubsWordIsNotMadeToWait(t *testing.T) {
	d := newDesk(t)
	ids := d.school(15, consent.DateOf(noon).AddDays(1))
	d.now = noon.Add(24 * time.Hour)
	d.sweepFor(10 * time.Minute)
	d.wantKeys("on the day", 15)
	seq, _ := d.st.Applied()
	var changes []store.Change
	for i, id := range ids {
		changes = append(changes, store.Change{Seq: seq + uint64(i) + 1, Subject: id, Leaver: true, Standing: store.Standing{Decision: consent.Erase, Reasons: []string{"D3"}}})
	}
	receipts, err := d.c.Apply(context.Background(), changes, seq+15, nil)
	d.must(err)
	if len(receipts) != 15 {
		t.Errorf("%d receipts", len(receipts))
	}
	d.wantKeys("after the hub's word", 0)
	d.sweepFor(10 * time.Minute)
	if d.c.Waiting() != "" {
		t.Errorf("nothing waits any more: %s", d.c.Waiting())
	}
	d.wantSound()
}

// A16, H1: a site that is switched off stops at once. What is sealed waits until its day, comes back if the switch is taken back, and
// goes at once if it is confirmed.
func TestA16ASwitchThatMayBeAMistakeKeepsWhatIsSealed(t *testing.T) {
	for what, confirm := range map[string]bool{"taken back": false, "confirmed": true} {
		t.Run(what, func(t *testing.T) {
			d := newDesk(t)
			id := d.enrolled()
			_, err := d.c.TurnOff(consent.DateOf(noon).AddDays(4))
			d.must(err)
			if d.g.Len() != 0 || d.c.Biometrics() {
				t.Error("a finger can be matched at a site that is off")
			}
			d.restart()
			if on, _ := d.c.Fingers(); on || d.g.Len() != 0 {
				t.Error("a finger can be matched after a restart")
			}
			d.must(d.st.Clock().Witness(noon))
			d.sweepFor(24 * time.Hour)
			d.wantKeys("the next day", 1)
			if !confirm {
				if _, err := d.c.SetBiometrics(context.Background(), true); err != nil {
					t.Fatal(err)
				}
				d.wantMatched(id, true)
				return
			}
			receipts, err := d.c.SetBiometrics(context.Background(), false)
			d.must(err)
			if len(receipts) != 1 {
				t.Errorf("%d receipts", len(receipts))
			}
			d.wantKeys("confirmed", 0)
		})
	}
}

func TestA16WhatIsSealedGoesOnItsDayWithoutAHub(t *testing.T) {
	d := newDesk(t)
	d.enrolled()
	_, err := d.c.TurnOff(consent.DateOf(noon).AddDays(2))
	d.must(err)
	d.sweepFor(30 * time.Hour)
	d.wantKeys("before the day", 1)
	d.sweepFor(12 * time.Hour)
	d.wantKeys("on the day", 0)
	d.wantSound()
}

// A16: where the site has no biometrics the records have no place for templates, from the start and after a switch; enrolling makes it.
func TestA16NoPlaceForTemplates(t *testing.T) {
	d := newDesk(t)
	has := func() bool {
		t.Helper()
		d.must(d.st.Close())
		b, err := os.ReadFile(filepath.Join(d.dir, "records.db"))
		d.must(err)
		db, err := bbolt.Open(writeTemp(t, b), 0o600, &bbolt.Options{ReadOnly: true})
		d.must(err)
		defer db.Close()
		found := false
		d.must(db.View(func(tx *bbolt.Tx) error {
			found = tx.Bucket([]byte("fingers")) != nil
			return nil
		}))
		d.restart()
		return found
	}
	if has() {
		t.Error("a new terminal has a place for templates")
	}
	d.must(d.st.Clock().Witness(noon))
	d.enrolled()
	if !has() {
		t.Error("the control finds no place for templates that are there")
	}
	if _, err := d.c.SetBiometrics(context.Background(), false); err != nil {
		t.Fatal(err)
	}
	if has() {
		t.Error("a site that gave biometrics up has a place for templates")
	}
	if n, err := d.st.TemplateCount(); err != nil || len(n) != 0 {
		t.Errorf("%v %v", n, err)
	}
	d.wantSound()
	d.must(d.c.Load(context.Background()))
	d.sweepFor(20 * time.Minute)
	if _, err := d.c.SetBiometrics(context.Background(), true); err != nil {
		t.Fatal(err)
	}
	d.must(d.st.Clock().Witness(d.now))
	d.wantMatched(d.enrolled(), true)
	d.wantSound()
}

func writeTemp(t *testing.T, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
