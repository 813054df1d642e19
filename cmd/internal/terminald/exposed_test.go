package terminald

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestI3BrokenExposedMemory hides this process's memory and then undoes it again, one half at a time.
func TestI3BrokenExposedMemory(t *testing.T) {
	var core unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &core); err != nil || core.Max == 0 {
		t.Skip("core dumps are off here for good; nothing can be undone")
	}
	t.Cleanup(func() {
		unix.Setrlimit(unix.RLIMIT_CORE, &core)
		unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0)
	})
	hide := func() {
		unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
		unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Max: core.Max})
	}
	hide()
	if found := exposed(); len(found) != 0 {
		t.Fatalf("hidden, and found %v", found)
	}
	unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0)
	if found := exposed(); len(found) != 1 || found[0].Invariant != "I3" {
		t.Errorf("readable by others, and found %v", found)
	}
	hide()
	unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: min(core.Max, 4096), Max: core.Max})
	if found := exposed(); len(found) != 1 || found[0].Invariant != "I3" {
		t.Errorf("may dump core, and found %v", found)
	}
}
