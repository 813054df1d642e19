// Package remains looks for what should be gone from this process's memory, in every page that can be written: heap, stacks, locked memory. It is
// for tests only.
//
// Needles are kept turned over, every bit of them, or the search would find them. A test makes sure of itself first: put what is looked for into a
// page, and count it.
package remains

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Turned gives b with every bit turned over, and clears b.
func Turned(b []byte) []byte {
	needle := make([]byte, len(b))
	for i := range b {
		needle[i] = ^b[i]
	}
	clear(b)
	return needle
}

// Count says how often the needles, which are turned over, stand in this process's memory, read from outside of the heap.
func Count(needles [][]byte) (found int, err error) {
	room, err := unix.Mmap(-1, 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return 0, fmt.Errorf("reserving memory to read into: %w", err)
	}
	defer unix.Munmap(room)
	defer clear(room)
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return 0, fmt.Errorf("reading where memory lies: %w", err)
	}
	mem, err := os.Open("/proc/self/mem")
	if err != nil {
		return 0, fmt.Errorf("reading memory: %w", err)
	}
	defer mem.Close()
	for lines := bufio.NewScanner(bytes.NewReader(maps)); lines.Scan(); {
		var from, to int64
		var mode string
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &mode); n == 3 && strings.HasPrefix(mode, "rw") {
			found += countIn(mem, from, to, room, needles)
		}
	}
	return found, nil
}

// Left is Count, taken again, after a nudge to every thread, as long as it finds more than so many.
func Left(needles [][]byte, atMost int) (found int, err error) {
	for range 10 {
		if found, err = Count(needles); err != nil || found <= atMost {
			return found, err
		}
		if err := Nudge(os.Getpid()); err != nil {
			return found, err
		}
	}
	return found, nil
}

// Nudge sends each thread of a process the signal by which Go's runtime preempts: what a signal has found in a thread's registers lies on that
// thread's signal stack until the next one comes.
func Nudge(pid int) error {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return fmt.Errorf("looking for threads: %w", err)
	}
	for _, thread := range threads {
		tid, err := strconv.Atoi(thread.Name())
		if err == nil {
			err = unix.Tgkill(pid, tid, unix.SIGURG)
		}
		if err != nil && err != unix.ESRCH { // it may have ended
			return fmt.Errorf("nudging thread %s: %w", thread.Name(), err)
		}
	}
	return nil
}

// overlap is by how much the pieces that are read overlap: needles are shorter.
const overlap = 4096

// countIn reads one mapping into room, piece by piece, but for room itself, which may lie in the middle of it.
func countIn(mem *os.File, from, to int64, room []byte, needles [][]byte) (found int) {
	own := int64(uintptr(unsafe.Pointer(&room[0])))
	for at := from; at < to; {
		end := min(at+int64(len(room)), to)
		if at < own+int64(len(room)) && end > own {
			if at >= own {
				at = own + int64(len(room))
				continue
			}
			end = own
		}
		n, _ := mem.ReadAt(room[:end-at], at)
		next, begins := end, n
		if n == len(room) && end < to { // what begins in the overlap is the next piece's
			next, begins = end-overlap, n-overlap
		}
		for _, needle := range needles {
			found += count(room[:n], begins, needle)
		}
		at = next
	}
	return found
}

// count looks for a needle whose bits are turned over and that begins in the first so many bytes of b.
func count(b []byte, begins int, needle []byte) (n int) {
	for i := 0; i < begins && i+len(needle) <= len(b); i++ {
		j := bytes.IndexByte(b[i:begins], ^needle[0])
		if j < 0 {
			return n
		}
		i += j
		k := 0
		for k < len(needle) && i+k < len(b) && b[i+k] == ^needle[k] {
			k++
		}
		if k == len(needle) {
			n++
		}
	}
	return n
}
