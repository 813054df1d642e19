package matcher

// accord says how well a template fits the probe where m moves it: the sum of
// how near each probe minutia comes to one of the template's that points the
// same way, times its share of both. It is what pairUp and evidence would find
// in a hundredth of their time, and knows nothing of bending and neighbours.
func accord(probe []point, m *movement, ref []packedPoint) float32 {
	var sum float32
	for i := range probe {
		x, y := m.apply(probe[i].x, probe[i].y)
		sum += nearest(ref, int(x*storedSub), int(y*storedSub), probe[i].angle+m.turned)
	}
	return sum * sum / float32(len(probe)+len(ref)+1)
}

// nearest is 1 if one of points, which are sorted by x, is at (x, y), in
// sixteenths of a pixel, and points like angle, less the farther off, and 0
// beyond accordReach.
func nearest(points []packedPoint, x, y int, angle turn) float32 {
	least := 2 * accordReach * accordReach
	for i := firstFrom(points, x-accordReach); i < len(points); i++ {
		p := &points[i]
		dx, dy := int(p.x)-x, int(p.y)-y
		if dx > accordReach {
			break
		}
		off := apart(p.angle(), angle)
		if off > matchTurn {
			continue
		}
		turned := off * accordReach / matchTurn
		if d := dx*dx + dy*dy; d < accordReach*accordReach {
			least = min(least, d+turned*turned)
		}
	}
	return 1 - float32(least)/(2*accordReach*accordReach)
}

// firstFrom is the first of points, sorted by x, that is not left of x.
func firstFrom(points []packedPoint, x int) int {
	from, to := 0, len(points)
	for from < to {
		if middle := (from + to) / 2; int(points[middle].x) < x {
			from = middle + 1
		} else {
			to = middle
		}
	}
	return from
}

const accordReach = 14 * storedSub // sixteenths of a pixel
