package terminal

import (
	"strings"
	"testing"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
	"github.com/tillprint/tillprint/sync/hub"
	"github.com/tillprint/tillprint/sync/register"
)

// Restriction and hold, end to end: what is held stays, nobody matches it, no terminal that joins meanwhile gets it, and a
// hold outlives even a withdrawal without ever matching.
func TestF5G11G12KeptNeverMatchedNeverSynced(t *testing.T) {
	yes, no := true, false
	for _, tc := range []struct {
		row         string
		set, lift   hub.Update
		afterwards  func(*school, consent.SubjectID) // while it lasts
		matchedThen bool                             // once lifted
	}{
		{"F5", hub.Update{Restricted: &yes}, hub.Update{Restricted: &no}, func(*school, consent.SubjectID) {}, true},
		{"G12", hub.Update{Hold: &yes}, hub.Update{Hold: &no}, func(s *school, id consent.SubjectID) {
			if _, err := s.hub.Withdraw(t.Context(), siteID, "office", id, "mother", true); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		t.Run(tc.row, func(t *testing.T) {
			s := newSchool(t)
			pupil := s.pupils(1)[0].Subject
			hall := s.join("hall").run()
			hall.await("current", hall.current)
			hall.enrol(pupil, 1, time.Now())
			hall.await("enrolled", func() bool { return hall.current() && hall.has(pupil) })
			change := func(u hub.Update) {
				t.Helper()
				if _, err := s.hub.UpdateSubject(t.Context(), siteID, "office", pupil, u); err != nil {
					t.Fatal(err)
				}
			}
			change(tc.set)
			tc.afterwards(s, pupil)
			hall.await("not matched", func() bool { return hall.current() && !hall.has(pupil) })
			if ok, rows := hall.custody.Permitted(pupil, hall.st.Now()); ok || !hall.st.HasFingerKey(pupil) {
				t.Errorf("permitted %v %v, kept %v", ok, rows, hall.st.HasFingerKey(pupil))
			}
			gym := s.join("gym").run()
			gym.await("current", gym.current)
			hall.await("has introduced itself", func() bool { return hall.current() })
			if gym.has(pupil) || gym.st.HasFingerKey(pupil) {
				t.Error("it went to another terminal")
			}
			change(tc.lift)
			hall.await("lifted", func() bool {
				return hall.current() && hall.has(pupil) == tc.matchedThen && hall.st.HasFingerKey(pupil) == tc.matchedThen
			})
		})
	}
}

// Each command that was carried out stands in the audit log, with the register's entry and nothing else.
func TestH6CommandsAreLogged(t *testing.T) {
	s := newSchool(t)
	hall := s.join("hall").run()
	hall.await("current", hall.current)
	for _, do := range []register.Action{register.Block, register.Unblock} {
		if err := s.hub.Command(t.Context(), siteID, "office", "hall", register.Command{Do: do}); err != nil {
			t.Fatal(err)
		}
		hall.await(string(do), func() bool { on, _ := hall.custody.Fingers(); return on == (do == register.Unblock) })
	}
	hall.await("current", hall.current)
	var found []string
	err := hall.st.Events(0, func(_ int64, e audit.Event) bool {
		if e.Kind == audit.Command {
			found = append(found, e.Action)
			if e.Subject != "" || e.Seq == 0 {
				t.Errorf("logged %+v", e)
			}
		}
		return true
	})
	if err != nil || strings.Join(found, " ") != "commission commission block unblock" {
		t.Errorf("the log holds %v, %v", found, err)
	}
	for _, do := range []register.Action{register.Refetch, register.Introduce} {
		if err := s.hub.Command(t.Context(), siteID, "office", "hall", register.Command{Do: do}); err == nil {
			t.Errorf("the office can order %s", do)
		}
	}
}
