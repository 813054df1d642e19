package flash

import (
	"errors"
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

// Eject tells the reader that the card may be taken out. Readers that cannot be told are no error: everything has been
// synced.
func Eject(file *os.File) {
	_ = unix.IoctlSetInt(int(file.Fd()), cdromEject, 0)
}
