package locked

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// flags reads what the kernel says of the mapping that holds an address.
func flags(t *testing.T, at uintptr) string {
	t.Helper()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	inside := false
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var from, to uintptr
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x ", &from, &to); n == 2 {
			inside = from <= at && at < to
		}
		if inside && strings.HasPrefix(lines.Text(), "VmFlags:") {
			return lines.Text() + " "
		}
	}
	t.Fatal("the address is in no mapping")
	return ""
}

func address[T any](s []T) uintptr { return uintptr(unsafe.Pointer(&s[0])) }

func TestMadeMemoryIsLockedAndLeftOutOfDumpsAndForks(t *testing.T) {
	s := Make[uint32](3)
	defer Free(s)
	if len(s) != 3 || !slices.Equal(s, []uint32{0, 0, 0}) {
		t.Fatalf("made %v", s)
	}
	is := flags(t, address(s))
	for flag, meaning := range map[string]string{" lo ": "locked", " dd ": "left out of dumps", " wf ": "empty in forked children"} {
		if !strings.Contains(is, flag) && (flag != " lo " || Trouble() == nil) {
			t.Errorf("the memory is not %s: %s", meaning, is)
		}
	}
}

func TestFreeGivesMemoryBackAndOnlyOverwritesWhatIsNotItsOwn(t *testing.T) {
	before := InUse()
	own := Make[uint64](1000)
	if InUse() != before+2*pageSize {
		t.Errorf("%d bytes in use, of %d before", InUse(), before)
	}
	Free(own[:0]) // up to its capacity
	if InUse() != before {
		t.Errorf("%d bytes in use after Free, %d before", InUse(), before)
	}
	heap := []byte("ridges")
	Free(heap[:2])
	if string(heap) != "\x00\x00\x00\x00\x00\x00" || InUse() != before {
		t.Errorf("after Free the heap's memory holds %q, %d bytes in use", heap, InUse())
	}
	Free[byte](nil)
}

func TestGrowingLeavesNothingBehind(t *testing.T) {
	before := InUse()
	var s []uint16
	for i := range 10_000 {
		s = Append(s, uint16(i))
	}
	for i, v := range s {
		if v != uint16(i) {
			t.Fatalf("element %d became %d", i, v)
		}
	}
	if got := InUse() - before; got != wholePages(2*cap(s)) {
		t.Errorf("%d bytes in use for %d", got, 2*cap(s))
	}
	s = Resize(s, 50_000)
	if len(s) != 50_000 || InUse()-before != wholePages(100_000) {
		t.Errorf("resized to %d, %d bytes in use", len(s), InUse()-before)
	}
	Free(Resize(s, 7))
	if InUse() != before {
		t.Error("a shorter slice of the same memory did not give it back")
	}
}

func TestSlabIsCarvedAndGivenBackAtOnce(t *testing.T) {
	before := InUse()
	slab := NewSlab(1 + 7 + 3*8 + 5*2)
	bytes := Carve[byte](slab, 1)
	if Carve[byte](slab, 0) != nil {
		t.Error("no values are something")
	}
	words, halves := Carve[uint64](slab, 3), Carve[uint16](slab, 5)
	words[2], halves[0], bytes[0] = 1<<63, 7, 9
	if address(words)%8 != 0 {
		t.Error("values lie across their alignment")
	}
	if InUse() != before+pageSize || len(words) != 3 || len(halves) != 5 || words[2] != 1<<63 || halves[0] != 7 {
		t.Errorf("carved %v, %v and %v of one page; %d bytes in use, %d before", words, halves, bytes, InUse(), before)
	}
	slab.Free()
	slab.Free()
	(*Slab)(nil).Free()
	if InUse() != before {
		t.Errorf("%d bytes in use after Free, %d before", InUse(), before)
	}
}

func TestSlabRefusesWhatItCannotGive(t *testing.T) {
	for what, carve := range map[string]func(*Slab){
		"too much":   func(s *Slab) { Carve[byte](s, 17) },
		"no padding": func(s *Slab) { Carve[byte](s, 1); Carve[uint64](s, 2) },
		"pointers":   func(s *Slab) { Carve[string](s, 1) },
		"after Free": func(s *Slab) { s.Free(); Carve[byte](s, 1) },
	} {
		t.Run(what, func(t *testing.T) {
			slab := NewSlab(16)
			defer slab.Free()
			defer func() {
				if recover() == nil {
					t.Error("carved")
				}
			}()
			carve(slab)
		})
	}
}

func TestTypesWithPointersAreRefused(t *testing.T) {
	type deep struct{ A [2]struct{ S string } }
	defer func() {
		if recover() == nil {
			t.Error("memory that the collector does not see was given for pointers")
		}
	}()
	Make[deep](1)
}

// A terminal whose limit is small serves on, and says so.
func TestSmallLimitIsTroubleNotFailure(t *testing.T) {
	if os.Getenv("TILLPRINT_SMALL_LIMIT") == "" {
		c := exec.Command(os.Args[0], "-test.run=^TestSmallLimitIsTroubleNotFailure$")
		c.Env = append(os.Environ(), "TILLPRINT_SMALL_LIMIT=1")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	runtime.LockOSThread()
	// Root may lock without limit; without that right it is like everybody else.
	if err := dropRight(unix.CAP_IPC_LOCK); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: 4096, Max: 4096}); err != nil {
		t.Fatal(err)
	}
	if err := Hide(); err != nil {
		t.Errorf("hiding under a small limit: %v", err)
	}
	s := Make[byte](1 << 20)
	s[1<<20-1] = 1
	if Trouble() == nil || !strings.Contains(Trouble().Error(), "LimitMEMLOCK") {
		t.Errorf("the trouble is %v", Trouble())
	}
	Free(s)
}

// dropRight gives up a capability on this thread, which the rest of the test stays on.
func dropRight(capability int) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return err
	}
	data[0].Effective &^= 1 << capability
	data[0].Permitted &^= 1 << capability
	data[0].Inheritable &^= 1 << capability
	return unix.Capset(&header, &data[0])
}
