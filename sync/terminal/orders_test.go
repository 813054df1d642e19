package terminal

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/deploy/test/source"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/store/export"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/sync/hub"
	"github.com/tillprint/tillprint/sync/register"
)

// orders are all commands that a register can bring, each with the one entry that it leaves: what it was, and whether it was carried out.
var orders = []struct {
	command  register.Command
	settings func(map[string]string) error
	want     string
}{
	{register.Command{Do: register.Block}, nil, "block"},
	{register.Command{Do: register.Unblock}, nil, "unblock"},
	{register.Command{Do: register.Configure, Settings: map[string]string{"contrast": "7"}}, func(map[string]string) error { return nil }, "config"},
	{register.Command{Do: register.Configure, Settings: map[string]string{"contrast": "Amina"}},
		func(map[string]string) error { return errors.New("Amina is no number") }, "config/refused"},
	{register.Command{Do: register.Configure, Settings: map[string]string{"colour": "red"}}, nil, "config/unknown"},
	{register.Command{Do: register.Introduce, Settings: map[string]string{"terminal": "gym"}}, nil, "introduce"},
	{register.Command{Do: register.Export, Order: &export.Order{ID: "x_0123456789abcdef", Subject: "p_aaaaaaaaaaaaaaaaaaaaaaaaaa"}}, nil, "export"},
	{register.Command{Do: register.Commissioned, Commission: &register.Commission{Mode: register.ModePIN}}, nil, "commission"},
	{register.Command{Do: register.Refetch}, nil, "refetch"},
	{register.Command{Do: register.Wipe}, nil, "wipe"},
}

// Each command of the register leaves one entry in the audit log: which, what has come of it and the register's entry, and nothing else.
func TestI5EachOrderLeavesOneEntry(t *testing.T) {
	tried := map[string]bool{}
	for _, order := range orders {
		tried[string(order.command.Do)] = true
		t.Run(order.want, func(t *testing.T) {
			s := newSchool(t)
			slot := &lastLook{}
			hall := s.joinAs("hall", func(tl *till) {
				slot.dir = tl.dir
				slot.make(t)
				tl.slot = slot
			})
			from := commands(t, hall.st)
			hall.client.o.Settings = order.settings
			plan := register.Plan{Commands: []register.Issued{{Seq: 7, Command: order.command}}, Commission: order.command.Commission}
			err := hall.client.stop(t.Context(), plan)
			if err == nil {
				err = errors.Join(hall.client.note(plan), hall.client.release(t.Context(), plan))
			}
			st := hall.st
			switch order.command.Do {
			case register.Wipe:
				if !errors.Is(err, ErrWiped) {
					t.Fatal(err)
				}
				st = slot.open(t) // as it was right before its keys died
			case register.Refetch:
				if !errors.Is(err, errRefetch) {
					t.Fatal(err)
				}
				from = nil // a new log
			default:
				if err != nil {
					t.Fatal(err)
				}
			}
			got := commands(t, st)[len(from):]
			want := []audit.Event{{Kind: audit.Command, Action: order.want, Seq: 7}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for _, action := range actions(t) {
		if !tried[action] {
			t.Errorf("nobody knows what %q leaves in the log", action)
		}
	}
}

// What the office orders about one pupil leaves one entry with the row that it rests on, when it begins and when it ends.
func TestI5RestrictionAndHoldLeaveOneEntry(t *testing.T) {
	yes, no := true, false
	for row, u := range map[string][2]hub.Update{"F5": {{Restricted: &yes}, {Restricted: &no}}, "G12": {{Hold: &yes}, {Hold: &no}}} {
		t.Run(row, func(t *testing.T) {
			s := newSchool(t)
			pupil := s.pupils(1)[0].Subject
			hall := s.join("hall").run()
			hall.await("current", hall.current)
			hall.enrol(pupil, 1, time.Now())
			for i, want := range []string{"pause", "permit"} {
				before := len(commands(t, hall.st))
				if _, err := s.hub.UpdateSubject(t.Context(), siteID, "office", pupil, u[i]); err != nil {
					t.Fatal(err)
				}
				hall.await(want, func() bool { return hall.current() && hall.decided(pupil) == want })
				got := commands(t, hall.st)[before:]
				if len(got) != 1 || got[0].Subject != pupil || got[0].Action != want || got[0].Seq == 0 || want == "pause" && got[0].Row != row {
					t.Errorf("%s: logged %+v", want, got)
				}
			}
		})
	}
}

func (tl *till) decided(id consent.SubjectID) string {
	d, _ := tl.st.Decision(id, tl.st.Now())
	return d.String()
}

// commands are the entries about orders, without when they were written.
func commands(t *testing.T, st *store.Store) (found []audit.Event) {
	t.Helper()
	err := st.Events(0, func(_ int64, e audit.Event) bool {
		if e.Kind == audit.Command {
			e.At, e.Epoch = time.Time{}, 0
			found = append(found, e)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// actions are the commands that the register's source knows.
func actions(t *testing.T) []string {
	t.Helper()
	found := source.Constants(t, "../register/entry.go", "Action")
	if len(found) < 8 {
		t.Fatalf("only %v were found", found)
	}
	return found
}

// lastLook is a key file that keeps a copy of the store, and of itself, from right before its keys are destroyed.
type lastLook struct {
	keyslot.Slot
	dir string // key file and store lie in it
}

func (l *lastLook) make(t *testing.T) {
	t.Helper()
	var err error
	if l.Slot, err = keyslot.CreateFile(filepath.Join(l.dir, "key"), rand.Reader); err != nil {
		t.Fatal(err)
	}
}

func (l *lastLook) Destroy() error {
	kept := filepath.Join(l.dir, "kept")
	key, err := os.ReadFile(filepath.Join(l.dir, "key"))
	err = errors.Join(err, os.CopyFS(kept, os.DirFS(filepath.Join(l.dir, "store"))), os.WriteFile(filepath.Join(kept, "key"), key, 0o600))
	return errors.Join(err, l.Slot.Destroy())
}

func (l *lastLook) open(t *testing.T) *store.Store {
	t.Helper()
	slot, err := keyslot.OpenFile(filepath.Join(l.dir, "kept", "key"), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(filepath.Join(l.dir, "kept"), slot, store.Identity{}, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}
