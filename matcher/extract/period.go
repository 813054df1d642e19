package extract

import "github.com/tillprint/tillprint/locked"

// block is the side, in cells, of the squares that have a ridge period.
const block = 2

// period is the ridge period over a grid of blocks, as an index of periodOf.
type period struct {
	columns, rows int
	energy        [periods][]float32
	scratch       []float32
	index         []uint8
}

func (q *period) clear() {
	for _, f := range q.energy {
		clear(f[:cap(f)])
	}
	clear(q.scratch[:cap(q.scratch)])
	clear(q.index[:cap(q.index)])
}

// measure finds the period of every block as the filter that answers with most
// energy around it.
func (q *period) measure(r *raster, w *wave, m *mask) {
	side := block * cell
	q.columns, q.rows = (r.width+side-1)/side, (r.height+side-1)/side
	n := q.columns * q.rows
	q.index = locked.Resize(q.index, n)
	q.scratch = locked.Resize(q.scratch, n)
	for i := range periods {
		q.energy[i] = locked.Resize(q.energy[i], n)
		clear(q.energy[i])
	}
	for b := range n {
		x, y := b%q.columns*side+side/2, b/q.columns*side+side/2
		if x >= r.width || y >= r.height || !m.inside(x, y) {
			continue
		}
		for i, energy := range w.energies(r.at(x, y)) {
			q.energy[i][b] = energy
		}
	}
	for i := range periods {
		smooth(q.energy[i], q.scratch, q.columns, gaussPeriod)
	}
	for b := range n {
		best := 0
		for i := range periods {
			if q.energy[i][b] > q.energy[best][b] {
				best = i
			}
		}
		q.index[b] = uint8(best)
	}
}

// at is the period's index at a pixel.
func (q *period) at(x, y int) int {
	return int(q.index[y/(block*cell)*q.columns+x/(block*cell)]) % periods
}
