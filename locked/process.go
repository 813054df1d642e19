package locked

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Hide keeps this process's memory out of core dumps and away from other processes of the same user (H4), and, where the
// limit on locked memory allows it, all of it out of swap: also what the Go runtime and its libraries copy for a
// moment. Below that limit only what Make gives is locked.
func Hide() error {
	var errs []error
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		errs = append(errs, fmt.Errorf("PR_SET_DUMPABLE: %w", err))
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		errs = append(errs, fmt.Errorf("RLIMIT_CORE: %w", err))
	}
	var limit unix.Rlimit
	// Under a limit, locking what will be mapped later would make the runtime's own reservations fail.
	if unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit) == nil && limit.Cur == unix.RLIM_INFINITY {
		if err := unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT); err != nil {
			errs = append(errs, fmt.Errorf("locking all memory: %w", err))
		}
	}
	return errors.Join(errs...)
}
