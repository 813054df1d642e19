package extract

import (
	"math"

	"github.com/tillprint/tillprint/locked"
)

// blankRange is within how many grey levels a square is blank. A sensor with
// sixteen levels has 17 between them.
const blankRange = 4

// weigh takes what must be known of the cells before the tensor is smoothed: how
// strong the gradients of the picture are, and which cells are blank, whose
// surroundings are then kept out of the tensor. The edge of a blank area, as where
// a sensor's window ends, is thus not taken for a ridge.
func (m *mask) weigh(pixels []uint8, r *raster, o *orientation) {
	m.columns, m.rows, m.width, m.height = o.columns, o.rows, r.width, r.height
	n := m.columns * m.rows
	m.strength, m.scratch, m.blank = locked.Resize(m.strength, n), locked.Resize(m.scratch, n), locked.Resize(m.blank, n)
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
	m.low, m.high = locked.Resize(m.low, n), locked.Resize(m.high, n)
	for i := range n {
		m.low[i], m.high[i], m.blank[i] = 255, 0, false
	}
	for y := range m.height {
		row := pixels[y*m.width : (y+1)*m.width]
		low, high := m.low[y/cell*m.columns:], m.high[y/cell*m.columns:]
		for c := range m.columns {
			least, most := int(low[c]), int(high[c]) // whole words, which need no branch
			for _, v := range row[c*cell : min((c+1)*cell, m.width)] {
				least, most = min(least, int(v)), max(most, int(v))
			}
			low[c], high[c] = uint8(least), uint8(most)
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
