package matcher

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func TestGalleryFindsWhomItHolds(t *testing.T) {
	g := NewGallery()
	r := rand.New(rand.NewPCG(1, 2))
	for i := range uint64(150) {
		made := finger(i)
		if err := g.Add(fmt.Sprint("p", i), 1, made, press(made, r, 3, 3, 0.1, 0.2)); err != nil {
			t.Fatal(err)
		}
	}
	if g.Len() != 300 || len(g.Subjects()) != 150 {
		t.Fatalf("%d templates of %d subjects", g.Len(), len(g.Subjects()))
	}
	for i := uint64(0); i < 150; i += 7 {
		found, err := g.Identify(t.Context(), press(finger(i), r, -8, 4, -0.2, 0.2), 3)
		if err != nil {
			t.Fatal(err)
		}
		verdict := DefaultPolicy.Decide(found, g.Len())
		if !verdict.Found || verdict.Best.Subject != fmt.Sprint("p", i) {
			t.Errorf("p%d: %s", i, verdict.Why)
		}
	}
	found, err := g.Identify(t.Context(), finger(9999), 3)
	if err != nil {
		t.Fatal(err)
	}
	if v := DefaultPolicy.Decide(found, g.Len()); v.Found {
		t.Error("a stranger was found:", v.Why)
	}
}

func TestIdentifyWithoutAnybody(t *testing.T) {
	g := NewGallery()
	for name, probe := range map[string]*Template{"usual": finger(1), "empty": {Width: 1, Height: 1}} {
		found, err := g.Identify(t.Context(), probe, 5)
		if err != nil || len(found) != 0 {
			t.Errorf("%s probe, empty gallery: %v, %v", name, found, err)
		}
	}
	if err := g.Add("p", 1, &Template{Width: 1, Height: 1}); err != nil {
		t.Fatal(err)
	}
	found, err := g.Identify(t.Context(), finger(1), 5)
	if err != nil || len(found) != 0 {
		t.Errorf("gallery of one empty template: %v, %v", found, err)
	}
	if _, err := g.Identify(t.Context(), &Template{}, 5); !errors.Is(err, ErrTemplate) {
		t.Errorf("invalid probe: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := g.Identify(ended, finger(1), 5); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled search: %v", err)
	}
}

func TestAddRefusesWithoutTrace(t *testing.T) {
	g := NewGallery()
	if err := g.Add("", 1, finger(1)); !errors.Is(err, ErrSubject) {
		t.Error(err)
	}
	if err := g.Add("p", 1); !errors.Is(err, ErrNoTemplates) {
		t.Error(err)
	}
	if err := g.Add("p", 1, finger(1), &Template{}); !errors.Is(err, ErrTemplate) {
		t.Error(err)
	}
	if g.Len() != 0 || g.Has("p") {
		t.Errorf("%d templates are left", g.Len())
	}
}

// The gallery agrees with a plain map, whatever is added and removed, and never
// names anybody removed.
func TestGalleryAgainstAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, held := NewGallery(), make(map[string]int)
		subject := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"})
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				s, n := subject.Draw(t, "subject"), rapid.IntRange(1, 40).Draw(t, "templates")
				small := &Template{Width: 99, Height: 99, Minutiae: finger(uint64(s[0])).Minutiae[:4]}
				for i := range small.Minutiae {
					small.Minutiae[i].X, small.Minutiae[i].Y = float32(i*20), float32(i*i)
				}
				if err := g.Add(s, 1, slices.Repeat([]*Template{small}, n)...); err != nil {
					t.Fatal(err)
				}
				held[s] += n
			},
			"remove": func(t *rapid.T) {
				s := subject.Draw(t, "subject")
				if n := g.RemoveSubject(s); n != held[s] {
					t.Fatalf("removed %d templates of %d", n, held[s])
				}
				delete(held, s)
			},
			"": func(t *rapid.T) {
				total := 0
				for s, n := range held {
					total += n
					if !g.Has(s) {
						t.Fatalf("%s is missing", s)
					}
				}
				if g.Len() != total || len(g.Subjects()) != len(held) {
					t.Fatalf("%d templates of %v, want %v", g.Len(), g.Subjects(), held)
				}
			},
		})
	})
}

func TestRemovedIsNeverFound(t *testing.T) {
	g := NewGallery()
	for i := range uint64(20) {
		if err := g.Add(fmt.Sprint("p", i), 1, finger(i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range uint64(20) {
		g.RemoveSubject(fmt.Sprint("p", i))
		found, err := g.Identify(t.Context(), finger(i), 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range found {
			if c.Subject == fmt.Sprint("p", i) {
				t.Fatalf("p%d was removed and found", i)
			}
		}
	}
}

// I3: what is removed is overwritten, at once when nobody searches, else when
// the last search that may see it ends.
func TestRemovedIsOverwritten(t *testing.T) {
	g := NewGallery()
	for i := range uint64(3) {
		if err := g.Add(fmt.Sprint("p", i), 1, finger(i)); err != nil {
			t.Fatal(err)
		}
	}
	search := g.acquire()
	old := search.chunks[0]
	g.RemoveSubject("p1")
	later := g.acquire()
	if empty(old) {
		t.Fatal("a running search's templates were overwritten")
	}
	g.release(search)
	if !empty(old) {
		t.Fatal("templates are left after the last search ended")
	}
	last := later.chunks[0]
	g.release(later)
	g.RemoveSubject("p0")
	if !empty(last) {
		t.Fatal("templates are left although nobody searches")
	}
	if len(g.retired) != 0 {
		t.Errorf("%d snapshots are kept", len(g.retired))
	}
}

func empty(c *chunk) bool {
	return !slices.ContainsFunc(c.points, func(p packedPoint) bool { return p != packedPoint{} }) &&
		!slices.ContainsFunc(c.plets, func(k kplet) bool { return k != kplet{} }) &&
		!slices.ContainsFunc(c.entries, func(e chunkEntry) bool { return e != chunkEntry{} })
}

// Run with -race: searches, additions and removals at once.
func TestSearchDuringWrites(t *testing.T) {
	g := NewGallery()
	for i := range uint64(40) {
		if err := g.Add(fmt.Sprint("stays", i), 1, finger(i)); err != nil {
			t.Fatal(err)
		}
	}
	var searches, writes sync.WaitGroup
	stop := make(chan struct{})
	writes.Go(func() {
		for i := uint64(0); ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			name := fmt.Sprint("comes and goes", i%3)
			if err := g.Add(name, 1, finger(100+i%3)); err != nil {
				t.Error(err)
			}
			g.RemoveSubject(fmt.Sprint("comes and goes", (i+1)%3))
		}
	})
	for worker := range uint64(3) {
		searches.Go(func() {
			for i := range uint64(5) {
				who := (worker*13 + i) % 40
				found, err := g.Identify(t.Context(), finger(who), 1)
				if err != nil || len(found) == 0 || found[0].Subject != fmt.Sprint("stays", who) {
					t.Errorf("stays%d: %v, %v", who, found, err)
				}
			}
		})
	}
	searches.Wait()
	close(stop)
	writes.Wait()
}

func benchGallery(b *testing.B, n int) *Gallery {
	g := NewGallery()
	for i := range n {
		if err := g.Add(fmt.Sprint(i/2), uint8(i%2), finger(uint64(i))); err != nil {
			b.Fatal(err)
		}
	}
	return g
}

func BenchmarkIdentify(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			g := benchGallery(b, n)
			probe := press(finger(77), rand.New(rand.NewPCG(1, 1)), 5, 5, 0.2, 0.3)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := g.Identify(b.Context(), probe, 2); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/template")
		})
	}
}

// BenchmarkReplaceSubject removes and adds one subject in a large gallery.
func BenchmarkReplaceSubject(b *testing.B) {
	g, i := benchGallery(b, 10000), 0
	for b.Loop() {
		who := i * 7 % 5000
		g.RemoveSubject(fmt.Sprint(who))
		if err := g.Add(fmt.Sprint(who), 0, finger(uint64(2*who))); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
