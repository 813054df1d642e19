package matcher

import "math"

// The ridge flow of a template is the direction of its ridges on a coarse grid,
// what ANSI/NIST-ITL calls a ridge flow map: a second witness beside the
// minutiae. Compared under the movement that the minutiae suggest, it tells
// chance alignments from true ones, as in Qi, Yang, Wang, "Fingerprint matching
// combining the global orientation field with minutia", Pattern Recognition
// Letters 2005; around each minutia it describes it, as in Tico and Kuosmanen,
// "Fingerprint matching using an orientation-based minutia descriptor", PAMI
// 2003.
const (
	// FlowCell is the side of the grid's square cells in pixels at PPI: not
	// quite three ridges.
	FlowCell = 24

	// FlowDirections is how many directions are told apart. The cell value 0
	// says that no ridges are seen there, and v from 1 to FlowDirections that
	// they run at (v-1)·π/FlowDirections, counter-clockwise from the x axis.
	FlowDirections = 15
)

// FlowSize is the number of columns and rows of the flow of a template of that
// size: as many whole cells, from its top left corner, as cover it.
func FlowSize(width, height int) (columns, rows int) {
	return (width + FlowCell - 1) / FlowCell, (height + FlowCell - 1) / FlowCell
}

// FlowValue is the cell value for ridges along the given angle, in radians
// counter-clockwise from the x axis.
func FlowValue(angle float64) uint8 {
	v := int(math.Round(angle * FlowDirections / math.Pi))
	return uint8((v%FlowDirections+FlowDirections)%FlowDirections) + 1
}

// FlowAngle is the angle that a cell value other than 0 stands for, in radians
// in [0, π).
func FlowAngle(v uint8) float64 { return float64(v-1) * math.Pi / FlowDirections }

// A flow is the ridge flow of a template, or nothing: the zero flow.
type flow struct {
	columns, rows int
	side          float32 // of a cell, pixels
	cells         []uint8 // row by row
}

func (t *Template) flow() flow {
	if len(t.Flow) == 0 {
		return flow{}
	}
	columns, rows := FlowSize(t.Width, t.Height)
	return flow{columns, rows, float32(FlowCell * t.grown()), t.Flow}
}

// mostCells is the size of the largest flow.
const mostCells = ((MaxSide + FlowCell - 1) / FlowCell) * ((MaxSide + FlowCell - 1) / FlowCell)

// take makes f a copy of t's flow, reusing its memory.
func (f *flow) take(t *Template) {
	of := t.flow()
	*f = flow{of.columns, of.rows, of.side, append(f.cells[:0], of.cells...)}
}

// at is the value of the cell at a place; 0 outside.
func (f *flow) at(x, y float32) uint8 {
	if !(x >= 0 && y >= 0) {
		return 0
	}
	column, row := int(x/f.side), int(y/f.side)
	if column >= f.columns || row >= f.rows {
		return 0
	}
	return f.cells[row*f.columns+column]
}

// flowTurns is the direction that a cell value stands for. Half a turn more is
// the same direction.
var flowTurns = func() (t [FlowDirections + 1]turn) {
	for v := 1; v <= FlowDirections; v++ {
		t[v] = turn((v - 1) * storedTurn / (2 * FlowDirections))
	}
	return t
}()

// A flowMatch is how the flows of two prints agree under a movement, without
// bending.
type flowMatch struct {
	cells float64 // of the probe whose ridges the reference shows too
	off   float64 // mean squared sine of the directions' differences there; about 0.01 of one finger
}

// compareFlows looks up each cell of the probe in the reference.
func compareFlows(probe, ref *flow, m *movement) (f flowMatch) {
	if len(probe.cells) == 0 || len(ref.cells) == 0 {
		return f
	}
	var sum float32
	var n int
	for row := range probe.rows {
		y := (float32(row) + 0.5) * probe.side
		for column, v := range probe.cells[row*probe.columns:][:probe.columns] {
			if v == 0 {
				continue
			}
			at := ref.at(m.apply((float32(column)+0.5)*probe.side, y))
			if at == 0 {
				continue
			}
			n++
			sum += sineSquares[(flowTurns[at]-flowTurns[v&15]-m.turned)>>squareShift]
		}
	}
	if n == 0 {
		return f
	}
	return flowMatch{float64(n), float64(sum) / float64(n)}
}

// share is the weight of the agreement by its area, 0 to 1.
func (f *flowMatch) share() float64 { return f.cells / (f.cells + flowHalf) }

// level is the logarithm of the disagreement: one finger's directions differ by
// noise whose size varies, so that likelihoods go by its ratio.
func (f *flowMatch) level() float64 { return math.Log(f.off + flowNoise) }

const (
	flowHalf  = 35    // cells, of 2 square centimetres at 500 ppi, that count half
	flowNoise = 0.004 // what rounding to FlowDirections leaves
)

const squareShift = 7

// sineSquares holds the squared sine of every 128th turn value.
var sineSquares = func() (s [storedTurn >> squareShift]float32) {
	for i := range s {
		sin := math.Sin(float64(i) * tau / float64(len(s)))
		s[i] = float32(sin * sin)
	}
	return s
}()

// packCells appends cell values to b, two a byte, the first in the high half.
func packCells(b, cells []uint8) []byte {
	for i := 0; i < len(cells); i += 2 {
		v := cells[i] << 4
		if i+1 < len(cells) {
			v |= cells[i+1]
		}
		b = append(b, v)
	}
	return b
}

// unpackCells appends n cell values of packed, which holds at least so many.
func unpackCells(cells, packed []uint8, n int) []uint8 {
	for i := range n {
		cells = append(cells, packed[i/2]>>(4-4*(i&1))&15)
	}
	return cells
}
