package store

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// The layout of a bbolt file, as go.etcd.io/bbolt/internal/common writes it, in the machine's byte order. A page is a
// header (id 8, flags 2, count 2, overflow 4), then elements of 16 bytes: of a branch (position 4, key size 4, child 8),
// of a leaf (flags 4, position 4, key size 4, value size 4). Positions count from the element.
const (
	pageHeader  = 16
	pageElement = 16
	branchPage  = 1
	leafPage    = 2
	bucketFlag  = 1 // of a leaf's element: the value begins with the root page of a bucket, 0 when it is inline
	metaRoot    = pageHeader + 16
	metaHigh    = metaRoot + 24
	metaID      = metaRoot + 32
	metaSize    = metaRoot + 40
)

// checkTree follows the references between the pages of transaction id and wants each page at most once. The database
// trusts its pages: after a card has lost some of a commit they can refer to each other in a circle, and then its
// cursors and even its own check recurse until memory is full. So this comes before any of them.
func checkTree(f io.ReaderAt, size int, id uint64) error {
	meta := make([]byte, metaSize)
	for n := range int64(2) {
		if _, err := f.ReadAt(meta, n*int64(size)); err != nil {
			return fmt.Errorf("reading the records' head: %w", err)
		}
		if binary.NativeEndian.Uint64(meta[metaID:]) == id {
			w := treeWalk{f: f, size: uint64(size), high: binary.NativeEndian.Uint64(meta[metaHigh:]), seen: map[uint64]bool{}}
			if w.high > 1<<31 {
				return fmt.Errorf("the records' head speaks of %d pages", w.high)
			}
			return w.walk(binary.NativeEndian.Uint64(meta[metaRoot:]))
		}
	}
	return fmt.Errorf("the records have no head of transaction %d", id)
}

type treeWalk struct {
	f          io.ReaderAt
	size, high uint64 // bytes of a page; pages of the file
	seen       map[uint64]bool
	open       []uint64 // pages to visit
	page       []byte   // the one that was read last
}

func (w *treeWalk) walk(root uint64) error {
	w.open = []uint64{root}
	for len(w.open) > 0 {
		id := w.open[len(w.open)-1]
		w.open = w.open[:len(w.open)-1]
		page, err := w.read(id)
		if err != nil {
			return err
		}
		if err := w.children(id, page); err != nil {
			return err
		}
	}
	return nil
}

// read gives the page with its overflow, until the next one is read. No more is read than the file has.
func (w *treeWalk) read(id uint64) ([]byte, error) {
	if id < 2 || id >= w.high {
		return nil, fmt.Errorf("the records are damaged: page %d of %d is referred to", id, w.high)
	}
	w.page = slices.Grow(w.page[:0], int(w.size))[:w.size]
	if _, err := w.f.ReadAt(w.page, int64(id*w.size)); err != nil {
		return nil, fmt.Errorf("reading the records: page %d: %w", id, err)
	}
	last := id + uint64(binary.NativeEndian.Uint32(w.page[12:]))
	if binary.NativeEndian.Uint64(w.page) != id || last >= w.high {
		return nil, fmt.Errorf("the records are damaged: page %d holds something else", id)
	}
	for n := id; n <= last; n++ {
		if w.seen[n] {
			return nil, fmt.Errorf("the records are damaged: page %d is referred to twice", n)
		}
		w.seen[n] = true
	}
	if last == id {
		return w.page, nil
	}
	err := w.overflow(id, last)
	return w.page, err
}

// overflow reads what a page has beyond itself. The last byte comes first: a page may claim more than there is memory.
func (w *treeWalk) overflow(id, last uint64) error {
	if _, err := w.f.ReadAt(make([]byte, 1), int64((last+1)*w.size)-1); err != nil {
		return fmt.Errorf("the records are damaged: page %d is cut off: %w", id, err)
	}
	whole := int((last - id + 1) * w.size)
	w.page = slices.Grow(w.page, whole-len(w.page))[:whole]
	if _, err := w.f.ReadAt(w.page[w.size:], int64((id+1)*w.size)); err != nil {
		return fmt.Errorf("reading the records: %w", err)
	}
	return nil
}

// children puts the pages that a page refers to on the list.
func (w *treeWalk) children(id uint64, page []byte) error {
	flags, count := binary.NativeEndian.Uint16(page[8:]), int(binary.NativeEndian.Uint16(page[10:]))
	if flags != branchPage && flags != leafPage || pageHeader+count*pageElement > len(page) {
		return fmt.Errorf("the records are damaged: page %d is neither branch nor leaf", id)
	}
	for i := range count {
		at := pageHeader + i*pageElement
		e := page[at:][:pageElement]
		if flags == branchPage {
			w.open = append(w.open, binary.NativeEndian.Uint64(e[8:]))
			continue
		}
		pos, key := uint64(binary.NativeEndian.Uint32(e[4:])), uint64(binary.NativeEndian.Uint32(e[8:]))
		value := uint64(binary.NativeEndian.Uint32(e[12:]))
		begin := uint64(at) + pos + key
		if begin+value > uint64(len(page)) {
			return fmt.Errorf("the records are damaged: page %d is cut off", id)
		}
		if binary.NativeEndian.Uint32(e)&bucketFlag == 0 {
			continue
		}
		if value < 16 {
			return fmt.Errorf("the records are damaged: page %d holds half a bucket", id)
		}
		if root := binary.NativeEndian.Uint64(page[begin:]); root != 0 {
			w.open = append(w.open, root)
		}
	}
	return nil
}
