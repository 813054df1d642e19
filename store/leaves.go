package store

import (
	"encoding/binary"
	"io"
)

// mostLeaf bounds a leaf with its overflow, in bytes: two people with photos need 200 KiB.
const mostLeaf = 512 << 10

// eachLeaf calls found for every key and value that stands in a leaf anywhere in a database file, free pages included,
// and in the small buckets that lie inside a leaf. The file may hold anything.
func eachLeaf(f io.ReaderAt, found func(k, v []byte)) {
	size := pageSizeOf(f)
	header, leaf := make([]byte, pageHeader), []byte(nil)
	for at := int64(0); ; at += size {
		if n, err := f.ReadAt(header, at); n < pageHeader || err != nil {
			return
		}
		whole := (int64(binary.NativeEndian.Uint32(header[12:])) + 1) * size
		if binary.NativeEndian.Uint16(header[8:]) != leafPage || whole > mostLeaf {
			continue
		}
		if int64(cap(leaf)) < whole {
			leaf = make([]byte, whole)
		}
		n, _ := f.ReadAt(leaf[:whole], at) // of a leaf that is cut off, what is there
		leafItems(leaf[:n], true, found)
	}
}

// pageSizeOf reads the size of the file's pages from either of its heads; 4096 where neither tells.
func pageSizeOf(f io.ReaderAt) int64 {
	head := make([]byte, metaSize)
	for _, at := range []int64{0, 4 << 10, 16 << 10, 64 << 10} {
		if _, err := f.ReadAt(head, at); err != nil || binary.NativeEndian.Uint32(head[pageHeader:]) != 0xED0CDAED {
			continue
		}
		if size := binary.NativeEndian.Uint32(head[pageHeader+8:]); size >= 1<<10 && size <= 64<<10 && size&(size-1) == 0 {
			return int64(size)
		}
	}
	return 4 << 10
}

// leafItems reads the elements of one leaf; nested allows a bucket inside it.
func leafItems(leaf []byte, nested bool, found func(k, v []byte)) {
	count := int(binary.NativeEndian.Uint16(leaf[10:]))
	for i := range count {
		at := pageHeader + i*pageElement
		if at+pageElement > len(leaf) {
			return
		}
		e := leaf[at:][:pageElement]
		key := uint64(at) + uint64(binary.NativeEndian.Uint32(e[4:]))
		value := key + uint64(binary.NativeEndian.Uint32(e[8:]))
		end := value + uint64(binary.NativeEndian.Uint32(e[12:]))
		if end > uint64(len(leaf)) {
			continue
		}
		k, v := leaf[key:value], leaf[value:end]
		switch {
		case binary.NativeEndian.Uint32(e)&bucketFlag == 0:
			found(k, v)
		case nested && len(v) >= 16+pageHeader: // root page and sequence of the bucket, then its only page
			leafItems(v[16:], false, found)
		}
	}
}
