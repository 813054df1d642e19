package locked

import (
	"reflect"
	"unsafe"
)

// Forget overwrites what a pointer points to, up to where the next pointers lead: a cipher or a hash of a library, which keeps a key, or a state
// from which one follows, on the Go heap and has no way to clear it. It must not be used afterwards.
func Forget(pointer any) {
	v := reflect.ValueOf(pointer).Elem()
	clear(unsafe.Slice((*byte)(v.Addr().UnsafePointer()), v.Type().Size()))
}
