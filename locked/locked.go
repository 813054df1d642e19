// Package locked gives memory for what must not be found afterwards: keys, templates, probes and images (I3).
//
// The memory lies outside the Go heap, so the collector neither moves nor copies it. It is locked against swapping, left
// out of core dumps, empty in forked children, and overwritten when it is given back:
//
//	key := locked.Make[byte](32)
//	defer locked.Free(key)
//
// There is one owner for each piece, who frees it once; slices of it must not be used afterwards. Appending beyond
// its capacity would move the contents to the Go heap: see [Append].
//
// Where the system refuses to lock, or to give such memory at all, it is ordinary memory that is still overwritten:
// a terminal serves on, and [Trouble] says what is missing.
package locked

import (
	"fmt"
	"reflect"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

var (
	trouble atomic.Pointer[error]
	inUse   atomic.Int64
)

// Make gives n zero values of a type that holds no pointers: the collector does not look there. Each call takes whole
// pages of the system, so it is for what is large or lives long, and n = 0 gives nil.
func Make[T any](n int) []T {
	refusePointers[T]()
	size := n * int(unsafe.Sizeof(*new(T)))
	if size <= 0 {
		return nil
	}
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		note(fmt.Errorf("reserving memory outside the heap: %w", err))
		return make([]T, n)
	}
	inUse.Add(wholePages(size))
	if err := unix.Mlock(b); err != nil {
		note(fmt.Errorf("fingers and keys may be swapped out (%w): raise LimitMEMLOCK, or run without swap", err))
	}
	// Older kernels know neither; they are an extra, not the promise.
	_ = unix.Madvise(b, unix.MADV_DONTDUMP)
	_ = unix.Madvise(b, unix.MADV_WIPEONFORK)
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), n)
}

// Free overwrites s up to its capacity and gives its memory back. s begins where the slice that Make gave began. Memory
// that is not Make's is only overwritten, and nil is nothing to do.
func Free[T any](s []T) {
	s = s[:cap(s)]
	clear(s)
	if len(s) == 0 {
		return
	}
	b := unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), len(s)*int(unsafe.Sizeof(s[0])))
	if unix.Munmap(b) == nil { // also unlocks; what is not a mapping of this program's is refused and left alone
		inUse.Add(-wholePages(len(b)))
	}
}

// Resize gives n values in s's memory, or in a larger piece if they do not fit; then s is freed. Values are not kept and not
// cleared.
func Resize[T any](s []T, n int) []T {
	if cap(s) >= n {
		return s[:n]
	}
	Free(s)
	return Make[T](n)
}

// Append is append for a slice that Make gave, or nil: where it has to grow, what it grows out of is overwritten.
func Append[T any](s []T, more ...T) []T {
	if len(s)+len(more) > cap(s) {
		bigger := Make[T](max(2*cap(s), len(s)+len(more), pageSize/int(unsafe.Sizeof(*new(T)))))
		copy(bigger, s)
		bigger = bigger[:len(s)]
		Free(s)
		s = bigger
	}
	return append(s, more...)
}

const pageSize = 4096

// Trouble says why memory could not be locked, the first time that this happened; nil if all of it was.
func Trouble() error {
	if err := trouble.Load(); err != nil {
		return *err
	}
	return nil
}

// InUse is how many bytes are given out, in whole pages.
func InUse() int64 { return inUse.Load() }

func wholePages(size int) int64 { return int64(size+pageSize-1) / pageSize * pageSize }

func note(err error) { trouble.CompareAndSwap(nil, &err) }

func refusePointers[T any]() {
	if hasPointers(reflect.TypeFor[T]()) {
		panic("locked: " + reflect.TypeFor[T]().String() + " holds pointers") // a mistake of the program's, found by its first test
	}
}

func hasPointers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return hasPointers(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if hasPointers(t.Field(i).Type) {
				return true
			}
		}
		return false
	}
	return t.Kind() < reflect.Bool || t.Kind() > reflect.Complex128
}
