package matcher

import (
	"cmp"
	"slices"
)

// sortPoints orders points by their geometry: by x, then y, then direction.
func sortPoints(points []point) { slices.SortFunc(points, comparePoints) }

func comparePoints(a, b point) int {
	return cmp.Or(cmp.Compare(a.x, b.x), cmp.Compare(a.y, b.y), cmp.Compare(a.angle, b.angle), cmp.Compare(b.quality, a.quality))
}

// convexHull appends to hull, which must be empty, the convex hull of points
// sorted by sortPoints: Andrew's monotone chain (Information Processing Letters
// 1979). Fewer than three points have none.
func convexHull(hull []vec, points []point) []vec {
	if len(points) < 3 {
		return hull
	}
	extend := func(p point, floor int) {
		v := vec{p.x, p.y}
		for len(hull) >= floor+2 && cross(hull[len(hull)-2], hull[len(hull)-1], v) <= 0 {
			hull = hull[:len(hull)-1]
		}
		hull = append(hull, v)
	}
	for _, p := range points {
		extend(p, 0)
	}
	for i, floor := len(points)-2, len(hull)-1; i >= 0; i-- {
		extend(points[i], floor)
	}
	return hull[:len(hull)-1]
}

// cross is positive when b lies clockwise of a as seen from o, in image axes.
func cross(o, a, b vec) float32 { return (a.x-o.x)*(b.y-o.y) - (a.y-o.y)*(b.x-o.x) }

// inside tells whether (x, y) lies in a hull that convexHull made; nothing lies
// in the hull of fewer than three points or of points on a line.
func inside(hull []vec, x, y float32) bool {
	if len(hull) < 3 {
		return false
	}
	last := hull[len(hull)-1]
	for _, v := range hull {
		if cross(last, v, vec{x, y}) < 0 {
			return false
		}
		last = v
	}
	return true
}
