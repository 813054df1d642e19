package remains

import (
	"testing"

	"golang.org/x/sys/unix"
)

// Memory is read in pieces that overlap; what lies where they do is counted once, too.
func TestEachIsCountedOnce(t *testing.T) {
	const size, apart = 3 << 20, 1 << 10
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(b)
	needle := make([]byte, 32)
	for i := range needle {
		needle[i] = byte(i*i + 7)
	}
	for at := 0; at < size; at += apart {
		for i, v := range needle {
			b[at+i] = ^v
		}
	}
	if n, err := Count([][]byte{needle}); err != nil || n != size/apart {
		t.Errorf("%d found of %d: %v", n, size/apart, err)
	}
}
