package flash

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// Contents says in a line what r, a partition or a disk without one, holds: the file system and its name, as far as
// Linux and cameras write them. It only informs; nothing is decided by it.
func Contents(r io.ReaderAt) string {
	b := make([]byte, 4096)
	if _, err := r.ReadAt(b, 0); err != nil && err != io.EOF {
		return "cannot be read"
	}
	name := func(label []byte) string {
		label, _, _ = bytes.Cut(label, []byte{0})
		if s := strings.TrimSpace(strings.Map(visible, string(label))); s != "" && s != "NO NAME" {
			return fmt.Sprintf(" %q", s)
		}
		return ""
	}
	switch {
	case binary.LittleEndian.Uint16(b[1024+56:]) == 0xef53: // ext2, 3, 4: the superblock's magic number
		return "ext4" + name(b[1024+120:1024+136])
	case string(b[82:87]) == "FAT32":
		return "FAT32" + name(b[71:82])
	case string(b[54:57]) == "FAT":
		return "FAT16" + name(b[43:54])
	case string(b[3:8]) == "EXFAT":
		return "exFAT"
	case string(b[3:7]) == "NTFS":
		return "NTFS"
	case string(b[:4]) == "hsqs":
		return "squashfs"
	case string(b[:4]) == "LUKS":
		return "encrypted"
	case len(bytes.Trim(b, "\x00")) == 0:
		return "empty"
	}
	return "something unknown"
}

// visible keeps what a label on a foreign card could do harm with out of the technician's terminal.
func visible(r rune) rune {
	if r < ' ' || r > '~' {
		return -1
	}
	return r
}
