package matcher

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
)

func subjectOf(finger uint64) string { return fmt.Sprint("p", finger) }

// galleryOf holds n fingers, each a subject's.
func galleryOf(t testing.TB, n int) *Gallery {
	t.Helper()
	g := NewGallery()
	for i := range uint64(n) {
		if err := g.Add(subjectOf(i), 1, finger(i)); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

// Nobody whom full matching finds is lost, and strangers are none the nearer.
func TestIdentifyFindsWhatFullMatchingFinds(t *testing.T) {
	g := galleryOf(t, 400)
	r := rand.New(rand.NewPCG(41, 41))
	for who := range uint64(24) {
		probe := press(finger(who*20), r, 6, -9, 0.3, 0.4) // beyond 400 a stranger
		usual, err := g.Identify(t.Context(), probe, 2)
		if err != nil {
			t.Fatal(err)
		}
		fully, err := g.IdentifyExhaustively(t.Context(), probe, 2)
		if err != nil {
			t.Fatal(err)
		}
		want, got := DefaultPolicy.Decide(fully, g.Len()), DefaultPolicy.Decide(usual, g.Len())
		if want.Found && (!got.Found || got.Best.Subject != want.Best.Subject) {
			t.Errorf("finger %d: full matching finds %s; the search: %s", who*20, want.Best.Subject, got.Why)
		}
		if who*20 >= 400 && got.Found {
			t.Errorf("finger %d is not enrolled and found: %s", who*20, got.Why)
		}
	}
}

// Of a finger that was enrolled for two people a search names both, for the margin to judge, though one's views alone are more than a first look compares.
func TestAFingerOfTwoNamesBoth(t *testing.T) {
	g := galleryOf(t, 400)
	r := rand.New(rand.NewPCG(43, 43))
	for who, missing := range map[string]float64{"the one": 0.05, "the other": 0.25} {
		var views []*Template
		for range 16 {
			views = append(views, press(finger(1000), r, 3, 2, 0.1, missing))
		}
		if err := g.Add(who, 2, views...); err != nil {
			t.Fatal(err)
		}
	}
	found, err := g.Identify(t.Context(), press(finger(1000), r, 6, -9, 0.3, 0.1), 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 2 || found[0].Subject != "the one" || found[1].Subject != "the other" {
		t.Errorf("best are %v", found)
	}
}

func TestIdentifyExhaustivelyEnds(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := galleryOf(t, 3).IdentifyExhaustively(ended, finger(1), 5); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// However bad the probe and the gallery, a search compares no more templates
// fully than the shortlist and the views that complete it, and notes no more
// hits than there is room for.
func TestSearchIsBounded(t *testing.T) {
	crowd := &Template{Width: 400, Height: 400}
	for i := range MaxMinutiae { // one lattice: everything confirms everything
		crowd.Minutiae = append(crowd.Minutiae, Minutia{X: float32(i%16) * 9, Y: float32(i/16) * 9, Quality: uint8(i % 100)})
	}
	g := NewGallery()
	for i := range uint64(700) {
		if err := g.Add(subjectOf(i), 1, crowd); err != nil {
			t.Fatal(err)
		}
	}
	snap := g.acquire()
	defer g.release(snap)
	s := searches.take()
	defer s.giveBack()
	s.probe.points = usedPoints(s.probe.points[:0], crowd)
	s.probe.describe()
	if err := s.likeliest(t.Context(), snap); err != nil {
		t.Fatal(err)
	}
	if len(s.scored) > shortlisted+completed*chunkTemplates || len(s.places) > shortlisted || s.sieve.found > mostHits {
		t.Errorf("%d compared, %d shortlisted, %d hits", len(s.scored), len(s.places), s.sieve.found)
	}
}
