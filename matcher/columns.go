package matcher

// columns indexes points by strips of the image, so that what lies near a place
// is found without looking at all.
type columns struct {
	first [MaxSide/columnWidth + 2]uint8 // of each strip, where it begins in order
	order [mostUsed]uint8                // points by strip
}

const columnWidth = 16 // pixels

func columnOf(x float32) int { return int(min(max(x, 0), MaxSide)) / columnWidth }

// fill indexes at most mostUsed points, by counting.
func (c *columns) fill(points []point) {
	clear(c.first[:])
	for i := range points {
		c.first[columnOf(points[i].x)+1]++
	}
	for i := 1; i < len(c.first); i++ {
		c.first[i] += c.first[i-1]
	}
	next := c.first
	for i := range points {
		at := columnOf(points[i].x)
		c.order[next[at]] = uint8(i)
		next[at]++
	}
}

// between lists the points of the strips that [from, to] touches.
func (c *columns) between(from, to float32) []uint8 {
	return c.order[c.first[columnOf(from)]:c.first[columnOf(to)+1]]
}
