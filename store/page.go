package store

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// page is memory outside the Go heap for keys and templates (I3): locked against swapping, left out of core dumps,
// empty in forked children, cleared when released.
type page struct {
	b []byte
	// unlocked says why the memory could not be locked; nil when it was. The page is usable all the same.
	unlocked error
}

// newPage gives n zero bytes, n > 0.
func newPage(n int) (*page, error) {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, fmt.Errorf("reserving memory for keys: %w", err)
	}
	p := &page{b: b}
	if err := unix.Mlock(b); err != nil {
		p.unlocked = fmt.Errorf("keys and templates may be swapped out (%w): raise LimitMEMLOCK, or run without swap", err)
	}
	// Older kernels know neither; they are an extra, not the promise.
	_ = unix.Madvise(b, unix.MADV_DONTDUMP)
	_ = unix.Madvise(b, unix.MADV_WIPEONFORK)
	return p, nil
}

// release clears the page and gives it back. Slices of it must not be used afterwards.
func (p *page) release() {
	if p == nil || p.b == nil {
		return
	}
	clear(p.b)
	_ = unix.Munmap(p.b) // also unlocks
	p.b = nil
}
