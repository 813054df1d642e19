package locked

import (
	"fmt"
	"unsafe"
)

// A Slab is one piece of locked memory for several slices that live and die together: of their own, each would take
// a whole page and calls of the system.
//
//	slab := locked.NewSlab(64*6 + 32*14)
//	defer slab.Free()
//	points, plets := locked.Carve[point](slab, 64), locked.Carve[plet](slab, 32)
//
// The zero Slab has no room. Its slices must not be freed by themselves.
type Slab struct{ all, rest []byte }

// NewSlab gives a slab of that many bytes.
func NewSlab(size int) *Slab {
	b := Make[byte](size)
	return &Slab{all: b, rest: b}
}

// Carve takes n zero values of a type that holds no pointers out of s, skipping what its alignment asks for after smaller
// values. To ask for more than is left is a mistake of the program's.
func Carve[T any](s *Slab, n int) []T {
	refusePointers[T]()
	size := n * int(unsafe.Sizeof(*new(T)))
	if size <= 0 {
		return nil
	}
	alignment := int(unsafe.Alignof(*new(T)))
	skip := (alignment - (len(s.all)-len(s.rest))%alignment) % alignment // slabs begin at pages
	if skip+size > len(s.rest) {
		panic(fmt.Sprintf("locked: %d bytes asked of a slab that has %d left", skip+size, len(s.rest)))
	}
	at := unsafe.Pointer(&s.rest[skip])
	s.rest = s.rest[skip+size:]
	return unsafe.Slice((*T)(at), n)
}

// Free overwrites all that was carved and gives the slab's memory back. It may be called on nil, and twice.
func (s *Slab) Free() {
	if s == nil {
		return
	}
	Free(s.all)
	*s = Slab{}
}
