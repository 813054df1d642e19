package matcher

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The sums of all probe minutiae at once are those of counting one by one.
func TestConfirmedCountsEachMinutia(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := new(sieve)
		var around kplet
		for k := range around {
			around[k] = uint16(rapid.IntRange(0, noCell).Draw(t, "cell"))
			s.cells[around[k]] = rapid.Uint64().Draw(t, "minutiae")
		}
		one, two, four := s.confirmed(&around)
		for i := range mostUsed {
			want := 0
			for _, cell := range around {
				want += int(s.cells[cell] >> i & 1)
			}
			if got := int(four>>i&1*4 + two>>i&1*2 + one>>i&1); got != want {
				t.Fatalf("minutia %d: %d neighbours confirmed, want %d", i, got, want)
			}
		}
	})
}

// Comparing packed poses is comparing turn, x and y.
func TestAgreeComparesEachDimension(t *testing.T) {
	within := func(d, limit int) bool { return -limit <= d && d < limit }
	rapid.Check(t, func(t *rapid.T) {
		turned, x, y := rapid.Uint16(), rapid.IntRange(-9000, 9000), rapid.IntRange(-9000, 9000)
		near := rapid.IntRange(-40, 40)
		t1, x1, y1 := turned.Draw(t, "turn"), x.Draw(t, "x"), y.Draw(t, "y")
		t2, x2, y2 := turned.Draw(t, "turn2"), x1+near.Draw(t, "dx"), y1+near.Draw(t, "dy")
		a, b := newPose(turn(t1), x1, y1), newPose(turn(t2), x2, y2)
		want := within(int(int16(t1-t2)), hitTurn) && within(x1-x2, hitMiss) && within(y1-y2, hitMiss)
		if got := agree(a, b); got != want {
			t.Fatalf("agree: %v, want %v", got, want)
		}
		if dt, dx, dy := a.minus(b); dt != int16(t1-t2) || dx != x1-x2 || dy != y1-y2 {
			t.Fatalf("difference (%d, %d, %d), want (%d, %d, %d)", dt, dx, dy, int16(t1-t2), x1-x2, y1-y2)
		}
	})
}

// Hits of a moved finger agree on that movement.
func TestMovementOfTheHits(t *testing.T) {
	g := NewGallery()
	r := rand.New(rand.NewPCG(6, 6))
	for i := range uint64(20) {
		if err := g.Add(fmt.Sprint(i), 1, finger(i)); err != nil {
			t.Fatal(err)
		}
	}
	snap := g.acquire()
	defer g.release(snap)
	s := new(sieve)
	for i := range uint64(20) {
		p := mustPrepare(t, press(finger(i), r, 8, -12, 0.4, 0.1))
		s.set(p.points)
		s.learn(snap)
		e := kept("p", finger(i))
		m, ok := s.movement(&e)
		x, y := m.apply(180+8, 200-12) // where press moved (180, 200) to
		if !ok || math.Hypot(float64(x-180), float64(y-200)) > 5 || apart(m.turned, toTurn(-0.4)) > storedTurn/90 {
			t.Errorf("finger %d: moved to (%.0f, %.0f), turned by %.2f", i, x, y, m.turned.radians()-tau)
		}
	}
}

// A k-plet stays the same when the finger moves, and all but the cells at whose
// edge a neighbour lies when it turns.
func TestKpletFollowsTheFinger(t *testing.T) {
	made := finger(3)
	still := usedPoints(nil, made)
	moved := slices.Clone(still)
	for i := range moved {
		moved[i].x, moved[i].y = moved[i].x+32, moved[i].y-16
	}
	for i := range still {
		if kpletOf(still, i) != kpletOf(moved, i) {
			t.Errorf("minutia %d changed by moving", i)
		}
	}
}

// What floor spares makes no difference to the shortlist.
func TestFloorKeepsTheShortlist(t *testing.T) {
	g := NewGallery()
	for i := range uint64(400) {
		if err := g.Add(fmt.Sprint(i/2), uint8(i%2), finger(i)); err != nil {
			t.Fatal(err)
		}
	}
	snap := g.acquire()
	defer g.release(snap)
	r := rand.New(rand.NewPCG(5, 5))
	for _, who := range []uint64{7, 250, 999} {
		p, err := Prepare(press(finger(who), r, 4, -7, 0.3, 0.2))
		if err != nil {
			t.Fatal(err)
		}
		const most = 20
		all, few := searches.make(), searches.make()
		for _, s := range []*search{all, few} {
			n := snap.templates
			if s == few {
				n = most
			}
			if err := s.rank(context.Background(), snap, p, n); err != nil {
				t.Fatal(err)
			}
			s.shortlist(snap, n)
			slices.SortStableFunc(s.places, func(a, b place) int { return cmp.Compare(b.rank, a.rank) })
		}
		if !slices.Equal(all.places[:most], few.places) {
			t.Errorf("finger %d: the shortlist differs from the best of all", who)
		}
	}
}

// Whatever the minutiae, ranks keep their bounds.
func FuzzSieve(f *testing.F) {
	b, err := finger(1).MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b, b)
	f.Fuzz(func(t *testing.T, one, other []byte) {
		var a, b Template
		if a.UnmarshalBinary(one) != nil || b.UnmarshalBinary(other) != nil {
			return
		}
		p, err := Prepare(&a)
		if err != nil {
			t.Fatal(err)
		}
		s := new(sieve)
		s.set(p.points)
		s.learn(&snapshot{})
		e := kept("p", &b)
		s.movement(&e)
		if rank := s.rank(&e); rank >= rankLevels {
			t.Errorf("rank %d", rank)
		}
	})
}

// BenchmarkFirstStage ranks a gallery; a search adds its second stage.
func BenchmarkFirstStage(b *testing.B) {
	g := benchGallery(b, 10000)
	snap := g.acquire()
	defer g.release(snap)
	p, err := Prepare(press(finger(77), rand.New(rand.NewPCG(1, 1)), 5, 5, 0.2, 0.3))
	if err != nil {
		b.Fatal(err)
	}
	s := searches.make()
	for b.Loop() {
		if err := s.rank(b.Context(), snap, p, shortlisted); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10000, "ns/template")
}
