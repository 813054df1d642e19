package export_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tillprint/tillprint/locked/remains"
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
	return remains.Turned(bytes.Clone(b[28 : 28+6*len(m.Minutiae)]))
}

func inMemory(t *testing.T, needles [][]byte) int {
	t.Helper()
	found, err := remains.Count(needles)
	must(t, err)
	return found
}
