package register

import (
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// maxSize bounds the number of entries of a site, far above what a school can reach, so that sizes fit every integer.
const maxSize = 1 << 40

// Tree is the right edge of an RFC 6962 tree: as much as it takes to append to it and to name its root. The zero Tree is
// empty.
type Tree struct {
	Size     uint64
	Frontier []tlog.Hash // roots of the complete subtrees, largest first: one for each bit of Size that is set
}

// Append adds the entry with the given canonical bytes.
func (t *Tree) Append(entry []byte) { t.appendHash(tlog.RecordHash(entry)) }

func (t *Tree) appendHash(h tlog.Hash) {
	for n := t.Size; n&1 == 1; n >>= 1 {
		last := len(t.Frontier) - 1
		h = tlog.NodeHash(t.Frontier[last], h)
		t.Frontier = t.Frontier[:last]
	}
	t.Frontier = append(t.Frontier, h)
	t.Size++
}

// Root is the hash of the whole tree.
func (t *Tree) Root() (tlog.Hash, error) {
	if bits.OnesCount64(t.Size) != len(t.Frontier) {
		return tlog.Hash{}, fmt.Errorf("%w: a tree of %d entries has no frontier of %d hashes", ErrMalformed, t.Size, len(t.Frontier))
	}
	if t.Size == 0 {
		return tlog.TreeHash(0, nil)
	}
	last := len(t.Frontier) - 1
	h := t.Frontier[last]
	for i := last - 1; i >= 0; i-- {
		h = tlog.NodeHash(t.Frontier[i], h)
	}
	return h, nil
}

// TreeAt reads the tree as it was at the given size from stored hashes (tlog.StoredHashes): for the hub.
func TreeAt(size uint64, stored tlog.HashReader) (Tree, error) {
	var indexes []int64
	var start uint64
	for level := bits.Len64(size) - 1; level >= 0; level-- {
		if size>>level&1 == 1 {
			indexes = append(indexes, tlog.StoredHashIndex(level, int64(start>>level)))
			start += 1 << level
		}
	}
	if len(indexes) == 0 {
		return Tree{}, nil
	}
	hashes, err := stored.ReadHashes(indexes)
	if err != nil {
		return Tree{}, fmt.Errorf("reading the register's tree at %d entries: %w", size, err)
	}
	return Tree{Size: size, Frontier: hashes}, nil
}
