package store

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/tillprint/tillprint/store/durable"
)

// A card fills up one day, with another program's files perhaps, and a withdrawal must destroy its key that day too. The key file is
// overwritten in place and needs no room, but the next key table and the records do. So room is set aside beside the store: an
// empty file that holds blocks. A wipe that finds no room gives it up and goes on; the next start sets it aside again, as
// soon as there is room. No content is ever in it, so a cut at any moment leaves nothing to mend.
const (
	reserveName = "reserve"
	// reserveSize is more than two key tables of 10,000 subjects (0.9 MB each) and the pages of the wipe of a year's leavers.
	reserveSize = 4 << 20
)

func (s *Store) reservePath() string { return filepath.Join(s.dir, reserveName) }

// SetRoomAside makes good what a wipe on a full card has used up; call it now and then.
func (s *Store) SetRoomAside() error {
	s.lock()
	defer s.unlock()
	if s.table == nil {
		return errClosed
	}
	return s.setRoomAside()
}

// setRoomAside makes the reserve unless it is there. A file system that cannot keep blocks for an empty file has none.
func (s *Store) setRoomAside() error {
	f, err := os.OpenFile(s.reservePath(), os.O_WRONLY|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return durable.Advise(err)
	}
	var now unix.Stat_t
	if err = unix.Fstat(int(f.Fd()), &now); err == nil && now.Blocks*512 < reserveSize {
		err = unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, reserveSize)
	}
	if errors.Is(err, unix.EOPNOTSUPP) {
		err = nil
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return durable.Advise(errors.Join(err, os.Remove(s.reservePath())))
	}
	return nil
}

// withRoom runs an operation that may wipe, and a second time with the reserve given up if the first found no room. The operation
// may be repeated after any error.
func (s *Store) withRoom(f func() error) error {
	err := f()
	if !durable.Full(err) {
		return durable.Advise(err)
	}
	if os.Remove(s.reservePath()) != nil {
		return durable.Advise(err) // it has been given up before
	}
	return durable.Advise(f())
}
