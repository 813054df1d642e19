package export_test

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/iso19794"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/export"
)

// I3: when an export has been sealed, no template of it, as the standard writes it, is left anywhere in this process's memory.
func TestI3AnExportLeavesNothingInMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped with -short: all of the memory is read")
	}
	c := newCrowd(t, t.TempDir()+"/store", []string{"Amina", "Noah"}, 1)
	defer c.st.Close()
	// Fingers that no other test of this process has: what those have read of their exports may lie on its heap still.
	fingers := prints(t, rand.NewChaCha8([32]byte{1: 1}), c.people[0])
	must(t, c.st.PutTemplates(fingers))
	key := newKey(t)
	page, err := unix.Mmap(-1, 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	must(t, err)
	defer unix.Munmap(page)
	var needles [][]byte // turned over, or the search would find them
	for _, r := range fingers {
		needles = append(needles, turned(page, r))
	}
	if n := inMemory(t, needles); n == 0 {
		t.Fatal("control: a template in a page of memory is not found")
	}
	clear(page)
	if n := inMemory(t, needles); n != 0 {
		t.Fatalf("control: %d templates are there before the export", n)
	}
	sealed, err := export.Seal(c.st, export.Site{ID: "oakfield"}, order(c.people[0], key.Recipient().String()))
	must(t, err)
	if n := inMemory(t, needles); n != 0 {
		t.Errorf("%d templates are left of an export of %d bytes", n, len(sealed))
	}
}

// turned gives the minutiae of a template as the standard writes them, every bit turned over; in clear they are left in page alone.
func turned(page []byte, r store.TemplateRecord) []byte {
	var m matcher.Template
	if err := m.UnmarshalBinary(r.Data); err != nil {
		panic(err)
	}
	defer m.Clear()
	b, err := iso19794.AppendViews(page[:0], []iso19794.View{{Template: &m}})
	if err != nil {
		panic(err)
	}
	needle := bytes.Clone(b[28 : 28+6*len(m.Minutiae)])
	for i := range needle {
		needle[i] ^= 0xff
	}
	return needle
}

// inMemory counts the needles that stand somewhere in this process's memory, read from outside of the heap.
func inMemory(t *testing.T, needles [][]byte) (found int) {
	t.Helper()
	room, err := unix.Mmap(-1, 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	must(t, err)
	defer unix.Munmap(room)
	defer clear(room)
	maps, err := os.ReadFile("/proc/self/maps")
	must(t, err)
	mem, err := os.Open("/proc/self/mem")
	must(t, err)
	defer mem.Close()
	own := int64(addressOf(room)) // which may lie in the middle of a mapping
	for lines := bufio.NewScanner(bytes.NewReader(maps)); lines.Scan(); {
		var from, to int64
		var mode string
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &mode); n != 3 || !strings.HasPrefix(mode, "rw") {
			continue
		}
		for at := from; at < to; at += int64(len(room)) - 4096 {
			end := min(at+int64(len(room)), to)
			if at < own+int64(len(room)) && end > own { // around it
				if at >= own {
					at = own + 4096 // and on from its end
					continue
				}
				end = own
			}
			n, _ := mem.ReadAt(room[:end-at], at)
			for _, needle := range needles {
				found += count(room[:n], needle)
			}
		}
	}
	return found
}

// count looks for a needle whose bits are turned over.
func count(b, needle []byte) (n int) {
	for i := 0; i+len(needle) <= len(b); i++ {
		j := bytes.IndexByte(b[i:], ^needle[0])
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

func addressOf(b []byte) uintptr { return uintptr(unsafe.Pointer(&b[0])) }
