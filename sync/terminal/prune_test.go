package terminal

import (
	"testing"
	"time"
)

// TestAPrunedLogContinues drops all of a terminal's log that the hub has countersigned: the next start still proves to the hub
// that the log has only grown.
func TestAPrunedLogContinues(t *testing.T) {
	s := newSchool(t)
	pupil := s.pupils(1)[0].Subject
	hall := s.join("hall").run()
	hall.await("current", hall.current)
	hall.enrol(pupil, 1, time.Now())
	hall.await("countersigned", func() bool { return hall.client.State().Countersigned > 0 })
	seen := hall.client.State().Countersigned
	if got := s.countersigned("hall"); got < seen {
		t.Fatalf("the hub has countersigned %d records, the terminal believes %d", got, seen)
	}
	if n, err := hall.st.PruneLog(-time.Hour, seen); err != nil || n == 0 {
		t.Fatalf("%d records were dropped: %v", n, err)
	}
	hall.restart()
	hall.run()
	hall.await("countersigned again", func() bool { return s.countersigned("hall") > seen })
	if len(s.rewound("hall")) != 0 {
		t.Error("the hub takes a pruned log for an old card")
	}
}
