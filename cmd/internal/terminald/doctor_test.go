package terminald

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillprint/tillprint/cmd/internal/machine"
	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/till"
)

// lateSlot is a key slot over whose next key the clock goes on.
type lateSlot struct {
	keyslot.Slot
	now  *time.Time
	late time.Duration
}

func (s lateSlot) Next(epoch uint64, dst []byte) error {
	*s.now = s.now.Add(s.late)
	return s.Slot.Next(epoch, dst)
}

// A key slot that takes long over a wipe is a line of the doctor's that says how long and where to look; one that does not is none.
func TestDoctorTellsOfASlowKeySlot(t *testing.T) {
	for took, want := range map[time.Duration]string{
		store.SlowSlot:                        "",
		store.SlowSlot + 300*time.Millisecond: "took 2.3s over one step of a wipe: look at the module's wiring",
		store.SlowSlot + 10*time.Second:       "took 12s over one step of a wipe",
	} {
		t.Run(took.String(), func(t *testing.T) {
			d := newDevice(t, keyslot.KindFile)
			slot, err := d.c.openSlot(keyslot.KindFile)
			if err != nil {
				t.Fatal(err)
			}
			now := time.Now()
			st, err := store.Open(d.c.Store.Dir, lateSlot{slot, &now, took}, store.Identity{}, store.Options{Now: func() time.Time { return now }})
			if err != nil {
				t.Fatal(err)
			}
			defer st.Close()
			id := consent.SubjectID("p_aaaaaaaaaaaaaaaaaaaaaaaaaa")
			permit := store.Change{Seq: 1, Subject: id, Standing: store.Standing{Decision: consent.Permit, Reasons: []string{"A1"}}}
			erase := store.Change{Seq: 2, Subject: id, Standing: store.Standing{Decision: consent.Erase, Reasons: []string{"A12"}}}
			_, first := st.Apply([]store.Change{permit}, 1, nil)
			kept := st.PutTemplates([]store.TemplateRecord{{Subject: id, Finger: 2, Data: []byte("minutiae"), Enrolled: now}})
			_, last := st.Apply([]store.Change{erase}, 2, nil)
			if err := errors.Join(first, kept, last); err != nil {
				t.Fatal(err)
			}
			var found Diagnosis
			d.c.examine(&found, st)
			slow := slices.ContainsFunc(found.Findings, func(f Finding) bool {
				return f.Part == "Key slot" && f.Level == till.Warn.String() && strings.HasPrefix(f.Words, want)
			})
			if slow != (want != "") {
				t.Errorf("want %q, the doctor says %+v", want, found.Findings)
			}
		})
	}
}

// The doctor says what the kernel tells of the power, and that it tells nothing where it does not.
func TestPowerWords(t *testing.T) {
	yes, no, throttled := true, false, uint64(0x50000)
	for _, c := range []struct {
		board machine.State
		level till.Level
		words string
	}{
		{machine.State{}, till.Good, "not told by this kernel"},
		{machine.State{Weak: &no}, till.Good, "not short of power"},
		{machine.State{Weak: &yes}, till.Warn, "short of power"},
		{machine.State{Throttled: &throttled, Weak: &no}, till.Warn, "since its start (0x50000)"},
	} {
		var d Diagnosis
		d.board(c.board)
		if len(d.Findings) != 1 || d.Findings[0].Level != c.level.String() || !strings.Contains(d.Findings[0].Words, c.words) {
			t.Errorf("%+v: %+v", c.board, d.Findings)
		}
	}
}
