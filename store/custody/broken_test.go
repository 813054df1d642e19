package custody_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/store/audit"
)

// A broken invariant is told once, over a restart as well, and so is its end; what the office could not be told is tried again (H17).
func TestH17BrokenIsToldOnce(t *testing.T) {
	d := newDesk(t)
	d.restart()
	var office []string
	var busy error
	tell := func() {
		t.Helper()
		err := d.c.Tell(d.c.Check(), func(sentence string) error {
			if busy == nil {
				office = append(office, sentence)
			}
			return busy
		})
		if !errors.Is(err, busy) {
			t.Errorf("telling: %v", err)
		}
	}
	stranger := func() { d.must(d.g.Add("nobody", 2, &matcher.Template{Width: 9, Height: 9})) }
	tell()
	busy = errors.New("the queue is broken")
	stranger()
	tell()
	busy = nil
	tell()
	tell()
	d.restart()
	stranger()
	tell()
	d.restart() // an empty gallery is right again
	tell()
	d.restart()
	tell()
	if len(office) != 2 || !strings.Contains(office[0], "is not: I1: ") || !strings.Contains(office[1], "so again: I1.") {
		t.Errorf("the office was told %q", office)
	}
	var log []string
	d.must(d.st.Events(0, func(_ int64, e audit.Event) bool {
		if e.Kind == audit.Fault {
			log = append(log, e.Action)
		}
		return true
	}))
	if diff := cmp.Diff([]string{"broken/I1", "holds-again/I1"}, log); diff != "" {
		t.Errorf("the log (-want +got):\n%s", diff)
	}
}
