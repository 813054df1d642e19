package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// BecomeOwner gives root up for the user who owns dir, with that user's groups:
// what a technician does with sudo is then done as the daemon would do it, and
// no file appears that the daemon cannot read. Where dir is not there or is
// root's own, and for everybody who is not root, it does nothing.
func BecomeOwner(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("finding out whose %s is: %w", dir, err)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || owner.Uid == 0 {
		return nil
	}
	if err := become(int(owner.Uid), int(owner.Gid)); err != nil {
		return fmt.Errorf("working as the owner of %s (user %d): %w", dir, owner.Uid, err)
	}
	return nil
}

// become changes all of the process's threads. The groups go first: without
// root they could not be set any more.
func become(uid, gid int) error {
	if err := syscall.Setgroups(groupsOf(uid)); err != nil {
		return err
	}
	if err := syscall.Setgid(gid); err != nil {
		return err
	}
	return syscall.Setuid(uid)
}

// groupsOf are the user's groups; none for a user whom the machine does not know.
func groupsOf(uid int) (ids []int) {
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return nil
	}
	names, err := u.GroupIds()
	if err != nil {
		return nil
	}
	for _, n := range names {
		if id, err := strconv.Atoi(n); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}
