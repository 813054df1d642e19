package terminald

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/tillprint/tillprint/store"
)

// exposed looks for ways by which this process's memory could leave it (I3): whatever locked.Hide set may have been undone, by
// a debugger's wrapper or by a unit file.
func exposed() []store.Violation {
	var found []store.Violation
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || dumpable != 0 {
		found = append(found, store.Violation{Invariant: "I3", Text: "other processes of the same user can read this process's memory"})
	}
	var core unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &core); err != nil || core.Cur != 0 {
		found = append(found, store.Violation{Invariant: "I3", Text: fmt.Sprintf("this process may leave a core dump of %d bytes", core.Cur)})
	}
	return found
}

// violations are the broken invariants of a running terminal.
func (t *Terminal) violations() []store.Violation { return append(t.Custody.Check(), exposed()...) }
