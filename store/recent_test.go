package store_test

import (
	"slices"
	"testing"

	"github.com/tillprint/tillprint/store/audit"
)

// Recent is the log the other way round, as far as it is asked for, also beyond what was pruned.
func TestRecentIsTheLogFromItsEnd(t *testing.T) {
	b := newBench(t)
	for range 5 {
		if err := b.st.Append(audit.Event{Kind: audit.Match, Route: "cash"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.st.Clock().Witness(b.now); err != nil {
		t.Fatal(err)
	}
	if n, err := b.st.PruneLog(-1, 3); err != nil || n == 0 {
		t.Fatalf("pruned %d, %v", n, err)
	}
	var forth, back []int64
	err := b.st.Events(0, func(n int64, _ audit.Event) bool { forth = append(forth, n); return true })
	err2 := b.st.Recent(func(n int64, _ audit.Event) bool { back = append(back, n); return len(back) < 4 })
	slices.Reverse(forth)
	if err != nil || err2 != nil || len(back) != 4 || !slices.Equal(forth[:4], back) {
		t.Errorf("%v, %v: %v and %v", err, err2, forth, back)
	}
	back = nil
	if err := b.st.Recent(func(n int64, _ audit.Event) bool { back = append(back, n); return true }); err != nil || !slices.Equal(forth, back) {
		t.Errorf("%v: %v and %v", err, forth, back)
	}
}

// BenchmarkToday looks for today's 300 meals in a log of 400 days, from its beginning and from its end.
func BenchmarkToday(b *testing.B) {
	s := newBenchIn(b, b.TempDir())
	ids := s.permit(300, 1)
	for range 400 {
		events := make([]audit.Event, 0, len(ids))
		for _, id := range ids {
			events = append(events, audit.Event{Kind: audit.Match, Subject: id, Route: "finger", Band: audit.Clear, Limit: "11.2"})
		}
		if err := s.st.Append(events...); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			if err := s.st.Events(0, func(int64, audit.Event) bool { return true }); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("today", func(b *testing.B) {
		for b.Loop() {
			n := 0
			if err := s.st.Recent(func(int64, audit.Event) bool { n++; return n <= len(ids) }); err != nil {
				b.Fatal(err)
			}
		}
	})
}
