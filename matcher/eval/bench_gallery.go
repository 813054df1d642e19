package eval

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"

	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/synth"
)

// mostMade fingers of a gallery are made from nothing, which costs most of a
// millisecond each; the others are grafted from these.
const mostMade = 10_000

// fill fills the gallery and measures what memory it takes.
func (b *bench) fill(ctx context.Context) error {
	r := b.result
	synth.Template(0) // its maker keeps tables
	before := memory()
	made := make([]*matcher.Template, 0, min(b.Gallery, mostMade))
	stock := b.stock() // of made, to graft from
	draw := rand.New(rand.NewPCG(1, 1))
	minutiae := 0
	for i := range b.Gallery {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var t *matcher.Template
		if i < mostMade {
			t = synth.Template(uint64(i))
			made = append(made, t)
		} else {
			t = synth.Graft(made[stock[draw.IntN(len(stock))]], made[stock[draw.IntN(len(stock))]], uint64(i))
			r.Grafted++
		}
		minutiae += len(t.Minutiae)
		if err := b.gallery.Add(benchSubject(i), uint8(1+i%2), t); err != nil {
			return err
		}
		if i%256 == 0 {
			b.Progress(i, b.Gallery)
		}
	}
	b.Progress(b.Gallery, b.Gallery)
	r.MeanMinutiae = float64(minutiae) / float64(b.Gallery)
	made = nil
	r.BytesPerTemplate = float64(memory()-before) / float64(b.Gallery)
	return nil
}

// searched is the finger of the i-th search, spread over those that are made,
// the same every time.
func (b *bench) searched(i int) int { return i * 7919 % min(b.Gallery, mostMade) }

// stock lists the made fingers that no search is for.
func (b *bench) stock() (fingers []int) {
	var searched []int
	for i := range b.Searches {
		searched = append(searched, b.searched(i))
	}
	slices.Sort(searched)
	for i := range mostMade {
		if _, is := slices.BinarySearch(searched, i); !is {
			fingers = append(fingers, i)
		}
	}
	return fingers
}

func benchSubject(template int) string { return "synthetic " + strconv.Itoa(template/2) }

// memory is what is in use after a full collection, on the heap and outside.
func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) + locked.InUse()
}

// residentMiB reads the resident set from /proc; elsewhere it is unknown, 0.
func residentMiB() float64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(b)
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseFloat(string(fields[1]), 64)
	if err != nil {
		return 0
	}
	return pages * float64(os.Getpagesize()) / (1 << 20)
}
