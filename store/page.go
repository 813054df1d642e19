package store

import "github.com/tillprint/tillprint/locked"

// page is locked memory for keys and templates, overwritten when it is released.
type page struct{ b []byte }

// newPage gives n zero bytes, n > 0.
func newPage(n int) *page { return &page{b: locked.Make[byte](n)} }

// release overwrites the page and gives it back. Slices of it must not be used afterwards.
func (p *page) release() {
	if p == nil {
		return
	}
	locked.Free(p.b)
	p.b = nil
}
