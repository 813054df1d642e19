package extract

import (
	"math"
	"slices"
)

const (
	faintest   = 3.0  // grey levels per pixel of gradient below which nothing is ridge
	fainter    = 0.15 // of the strong gradients of the same image
	blankRange = 4    // grey levels within which a square is blank
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
	sorted        []float32
	depth         []float32 // pixels to the nearest background, 0 outside
	spans         []run     // of one row
	fraction      float64
}

// A run is the pixels [from, to) of a row that are to be filtered.
type run struct{ from, to int }

// weigh takes what must be known of the cells before the tensor is smoothed: how
// strong the gradients of the picture are, and which cells are blank, whose
// surroundings are then kept out of the tensor. The edge of a blank area, as where
// a sensor's window ends, is thus not taken for a ridge.
func (m *mask) weigh(pixels []uint8, r *raster, o *orientation) {
	m.columns, m.rows, m.width, m.height = o.columns, o.rows, r.width, r.height
	n := m.columns * m.rows
	m.strength, m.scratch, m.blank = resize(m.strength, n), resize(m.scratch, n), resize(m.blank, n)
	for i := range n {
		x, y := min(i%m.columns*cell+cell/2, r.width-1), min(i/m.columns*cell+cell/2, r.height-1)
		contrast := r.deviation[y*r.width+x] + flatness
		m.strength[i] = o.energy[i] * contrast * contrast
	}
	m.findBlank(pixels)
	for i := range n {
		if m.blank[i] {
			m.strength[i] = 0
		}
		if m.nearBlank(i) {
			o.cos[i], o.sin[i], o.energy[i] = 0, 0, 0
		}
	}
	smooth(m.strength, m.scratch, m.columns, gaussStrength)
	for i, v := range m.strength {
		m.strength[i] = float32(math.Sqrt(float64(v))) / (cell * 32)
	}
}

// findBlank marks every cell that is part of a square of three by three without
// any contrast.
func (m *mask) findBlank(pixels []uint8) {
	n := m.columns * m.rows
	m.low, m.high = resize(m.low, n), resize(m.high, n)
	for i := range n {
		m.low[i], m.high[i], m.blank[i] = 255, 0, false
	}
	for y := range m.height {
		row := pixels[y*m.width : (y+1)*m.width]
		low, high := m.low[y/cell*m.columns:], m.high[y/cell*m.columns:]
		for x, v := range row {
			low[x/cell] = min(low[x/cell], v)
			high[x/cell] = max(high[x/cell], v)
		}
	}
	for y := 1; y < m.rows-1; y++ {
		for x := 1; x < m.columns-1; x++ {
			low, high := uint8(255), uint8(0)
			for i := range 9 {
				at := (y-1+i/3)*m.columns + x - 1 + i%3
				low, high = min(low, m.low[at]), max(high, m.high[at])
			}
			if int(high)-int(low) > blankRange {
				continue
			}
			for i := range 9 {
				m.blank[(y-1+i/3)*m.columns+x-1+i%3] = true
			}
		}
	}
}

// nearBlank says that cell i or one of its eight neighbours is blank.
func (m *mask) nearBlank(i int) bool {
	cx, cy := i%m.columns, i/m.columns
	for y := max(0, cy-1); y <= min(m.rows-1, cy+1); y++ {
		for x := max(0, cx-1); x <= min(m.columns-1, cx+1); x++ {
			if m.blank[y*m.columns+x] {
				return true
			}
		}
	}
	return false
}

// find marks the cells that show ridges.
func (m *mask) find(o *orientation) {
	n := m.columns * m.rows
	m.vote, m.depth = resize(m.vote, n), resize(m.depth, n)
	m.sorted = append(m.sorted[:0], m.strength...)
	slices.Sort(m.sorted)
	least := max(faintest, fainter*m.sorted[n*9/10])
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
		m.spans = append(m.spans, run{from * cell, min(c*cell, m.width)})
	}
	return m.spans
}

// away is the distance in pixels from the background at a position.
func (m *mask) away(x, y float32) float32 {
	gx := max(0, min(float32(m.columns-1), (x-(cell-1)/2.0)/cell))
	gy := max(0, min(float32(m.rows-1), (y-(cell-1)/2.0)/cell))
	x0, y0 := int(gx), int(gy)
	x1, y1 := min(x0+1, m.columns-1), min(y0+1, m.rows-1)
	fx, fy := gx-float32(x0), gy-float32(y0)
	top := m.depth[y0*m.columns+x0]*(1-fx) + m.depth[y0*m.columns+x1]*fx
	bottom := m.depth[y1*m.columns+x0]*(1-fx) + m.depth[y1*m.columns+x1]*fx
	return top*(1-fy) + bottom*fy
}
