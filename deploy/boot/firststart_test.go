package boot_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The steps of a first start, in sectors that the card has taken since the power came. In order: the extended partition
// grows (1 sector), the beginning of slot B's root is emptied (10,240), its entry is written, so for the data partition, which
// then gets a file system (16 MB and more), its name, and the terminal's folders. Then it joins. The power is cut in each.
var stepsOfFirstStart = []struct {
	name    string
	sectors int
}{
	{"the card's table being changed", 1},
	{"slot B's root being emptied", 4_000},
	{"the data partition being emptied", 13_000},
	{"the file system being made", 24_000},
	{"the file system being made, for the second time", 30_000},
}

// The power is cut in one step after another of the first start, and it still ends in a terminal that serves.
func TestCutsInFirstStart(t *testing.T) {
	if testing.Short() {
		t.Skip("six starts: not with -short")
	}
	g, s := flashed(t, plain)
	for _, step := range stepsOfFirstStart {
		g.power(false)
		g.slow(4000) // 2 MB/s, so that the moment can be hit
		g.soon(step.name, func() bool { return g.written() >= step.sectors })
		n := g.written()
		g.cut()
		fmt.Printf("the power was cut after %d sectors: %s\n", n, step.name)
	}
	g.power(false)
	g.until("the terminal having joined", s.joined)
	g.until("its store being made", func() bool { return g.said("this is now") })
	g.cut()
	fmt.Println("the power was cut when it had joined")
	g.firstStart(s)
	if g.said("this is now") {
		t.Error("it joined a second time")
	}
}

// soon is until for what passes in milliseconds.
func (g *guest) soon(what string, holds func() bool) {
	g.t.Helper()
	for began := time.Now(); !holds(); time.Sleep(10 * time.Millisecond) { // QEMU tells of no write by itself
		if time.Since(began) > patience {
			g.t.Fatalf("no sign of %s after %v", what, patience)
		}
	}
}

// An image that was copied onto a card too small for it by another program ends in a plain message.
func TestSmallCard(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short")
	}
	g, _ := flashed(t, plain)
	must(t, os.Truncate(filepath.Join(g.dir, "card"), 1<<30))
	g.power(false)
	g.until("the message", func() bool { return g.said("this card is too small: it has 1024 MiB, at least 15") })
}
