package extract

import "github.com/tillprint/tillprint/locked"

const (
	faintest   = 3.0  // grey levels per pixel of gradient below which nothing is ridge
	fainter    = 0.2  // of the strong gradients of the same image
	disordered = 0.08 // coherence below which there are no ridges
)

// mask tells the finger from its background, cell by cell.
type mask struct {
	columns, rows int
	width, height int       // pixels
	strength      []float32 // gradient of the picture, grey levels a pixel
	blank         []bool
	low, high     []uint8
	vote          []float32
	scratch       []float32
	depth         []float32 // pixels to the nearest background, 0 outside
	spans         []run     // of one row
	fraction      float64
}

func (m *mask) clear() {
	for _, f := range [...][]float32{m.strength, m.vote, m.scratch, m.depth} {
		clear(f[:cap(f)])
	}
	clear(m.blank[:cap(m.blank)])
	clear(m.low[:cap(m.low)])
	clear(m.high[:cap(m.high)])
	clear(m.spans[:cap(m.spans)])
	m.depth = m.depth[:0]
}

// A run is the pixels [from, to) of a row that are to be filtered.
type run struct{ from, to int }

// find marks the cells that show ridges.
func (m *mask) find(o *orientation) {
	n := m.columns * m.rows
	m.vote, m.depth = locked.Resize(m.vote, n), locked.Resize(m.depth, n)
	least := max(faintest, fainter*ranked(m.strength, n*9/10))
	for i := range n {
		m.vote[i] = 0
		if m.strength[i] > least && !m.blank[i] && o.coherence(i) > disordered {
			m.vote[i] = 1
		}
	}
	smooth(m.vote, m.scratch, m.columns, gaussMask)
	m.measure()
}

// measure turns votes into distances from the background by the two-pass
// chamfer transform of Borgefors (1986). The finger may go on beyond the image.
func (m *mask) measure() {
	const straight, slanted, unknown = cell, cell * 1.41421356, 1e6
	inside := 0
	at := func(x, y int) float32 {
		if x < 0 || y < 0 || x >= m.columns || y >= m.rows {
			return unknown
		}
		return m.depth[y*m.columns+x]
	}
	for y := range m.rows {
		for x := range m.columns {
			d := float32(0)
			if m.vote[y*m.columns+x] > 0.5 {
				inside++
				d = min(at(x-1, y)+straight, at(x, y-1)+straight, at(x-1, y-1)+slanted, at(x+1, y-1)+slanted)
			}
			m.depth[y*m.columns+x] = d
		}
	}
	for y := m.rows - 1; y >= 0; y-- {
		for x := m.columns - 1; x >= 0; x-- {
			d := &m.depth[y*m.columns+x]
			*d = min(*d, at(x+1, y)+straight, at(x, y+1)+straight, at(x+1, y+1)+slanted, at(x-1, y+1)+slanted)
		}
	}
	m.fraction = float64(inside) / float64(m.columns*m.rows)
}

// inside says whether the pixel belongs to the finger.
func (m *mask) inside(x, y int) bool {
	return m.depth[y/cell*m.columns+x/cell] > 0
}

// runs lists the pixels of row y that are finger. The list is good until the
// next call.
func (m *mask) runs(y int) []run {
	m.spans = m.spans[:0]
	row := m.depth[y/cell*m.columns:][:m.columns]
	for c := 0; c < m.columns; c++ {
		if row[c] <= 0 {
			continue
		}
		from := c
		for c < m.columns && row[c] > 0 {
			c++
		}
		m.spans = locked.Append(m.spans, run{from * cell, min(c*cell, m.width)})
	}
	return m.spans
}

// away is the distance in pixels from the background at a position.
func (m *mask) away(x, y float32) float32 {
	return locateOn(m.columns, m.rows, x, y).of(m.depth)
}
