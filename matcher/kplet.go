package matcher

import (
	"cmp"
	"math"
	"slices"
)

// A kplet says in which cells around a minutia its nearest neighbours lie, in
// that minutia's own frame, so that it stays the same when the finger moves or
// turns. A cell is a square of the plane and a range of relative directions.
//
// The structure is the k-plet of Chikkerur, Cartwright and Govindaraju,
// "K-plet and coupled BFS: a graph based fingerprint representation and
// matching algorithm", ICB 2006. What is uncertain about a neighbour is left
// to the probe (see sieve), which is spread over all cells that it may lie in.
type kplet [kpletSize]uint16

const (
	kpletSize = 7  // neighbours; a sieve counts up to 7 in three bits
	mostPlets = 32 // k-plets kept of a template, those of the best minutiae

	cellSide    = 9  // pixels
	cellsAcross = 24 // cells from left to right, the minutia in the middle
	cellTurns   = 8  // ranges of relative direction
	pletReach   = cellsAcross / 2 * cellSide

	noCell    = cellsAcross * cellsAcross * cellTurns // stands for a missing neighbour
	cellCodes = 1 << 13                               // at least noCell + 1, a power of two
)

// cellOf is the cell of a neighbour at (u, v) whose direction is turned
// against the minutia's. Both coordinates lie within pletReach.
func cellOf(u, v float32, turned turn) uint16 {
	across := int(u/cellSide + cellsAcross/2)
	up := int(v/cellSide + cellsAcross/2)
	return uint16((across*cellsAcross+up)*cellTurns + int(turned)*cellTurns/storedTurn)
}

// kplets appends to plets those of the best of at most 64 points, in the points'
// order, and says with one bit a point which these are.
func kplets(plets []kplet, points []point) (_ []kplet, which uint64) {
	for _, i := range bestFirst(points)[:min(len(points), mostPlets)] {
		which |= 1 << i
	}
	for i := range points {
		if which>>i&1 != 0 {
			plets = append(plets, kpletOf(points, i))
		}
	}
	return plets, which
}

// bestFirst orders the indices of points by falling quality.
func bestFirst(points []point) []int {
	order := make([]int, len(points))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(points[b].quality, points[a].quality)
	})
	return order
}

// kpletOf codes the nearest neighbours of points[i].
func kpletOf(points []point, i int) kplet {
	type neighbour struct {
		d2   float32
		cell uint16
	}
	var near [kpletSize + 1]neighbour // sorted by distance; the last falls off
	n := 0
	p := &points[i]
	sin, cos := math.Sincos(p.angle.radians())
	for j := range points {
		q := &points[j]
		dx, dy := q.x-p.x, -(q.y - p.y)
		d2 := dx*dx + dy*dy
		if j == i || d2 >= pletReach*pletReach || n == kpletSize && d2 >= near[n-1].d2 {
			continue
		}
		u, v := dx*float32(cos)+dy*float32(sin), dy*float32(cos)-dx*float32(sin)
		k := n
		for ; k > 0 && near[k-1].d2 > d2; k-- {
			near[k] = near[k-1]
		}
		near[k] = neighbour{d2, cellOf(u, v, q.angle-p.angle)}
		n = min(n+1, kpletSize)
	}
	var codes kplet
	for k := range codes {
		if codes[k] = noCell; k < n {
			codes[k] = near[k].cell
		}
	}
	return codes
}
