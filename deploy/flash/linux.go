package flash

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// cdromEject is CDROMEJECT of linux/cdrom.h; the kernel's SCSI layer carries it out for card readers too.
const cdromEject = 0x5309

// forget makes the kernel read from the card again what it could give from memory. A test double has nothing to forget.
func forget(card Card) error {
	file, ok := card.(*os.File)
	if !ok {
		return nil
	}
	if err := unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return err
	}
	// BLKFLSBUF drops a device's buffers; a regular file has no such request.
	if err := unix.IoctlSetInt(int(file.Fd()), unix.BLKFLSBUF, 0); err != nil && !errors.Is(err, unix.ENOTTY) {
		return err
	}
	return nil
}

// Eject tells the reader that the card may be taken out. Readers that know no such request are no error: everything has
// been synced. One that refuses it is: whatever uses the card could write to it still.
func Eject(file *os.File) error {
	err := unix.IoctlSetInt(int(file.Fd()), cdromEject, 0)
	if err == nil || errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) {
		return nil
	}
	return fmt.Errorf("the card is written and checked, but its reader does not let go of it: %w: eject it from the desktop, then take it out", err)
}
