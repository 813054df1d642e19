package matcher

import (
	"math"
	"math/bits"
)

// A slip is a displacement of a cell across its ridges, of so many steps. It is
// told by the cells around, whose skin moves with it, not by the cell itself:
// by its own ridges every cell could be made to agree.
const (
	mostSlips = 3
	slipStep  = 1.5 // pixels: all slips together cover a ridge with its valley

	// What the agreement of a cell beside and of one across the corner weighs.
	slipBeside, slipSlanted = 3, 2
)

// slips holds a number from -8 to 8 for each slip, eight bits each, the first in
// the lowest, with 8 added to every one: so they are added up all at once.
type slips uint64

const slipCount = 2*mostSlips + 1

func (s slips) at(slip int) int { return int(s>>(8*slip)&0xff) - 8 }

// slip is the slip on which the eight cells around cell i agree most, from 0 for
// the farthest one way.
func (s *scratch) slip(i, columns int) (best int) {
	cell := &s.ridges[i]
	var beside, slanted slips
	for row := -1; row <= 1; row++ {
		for column := -1; column <= 1; column++ {
			x, at := i%columns+column, i+row*columns+column
			if row == 0 && column == 0 || x < 0 || x >= columns || at < 0 || at >= len(s.ridges) || s.ridges[at].places == 0 {
				continue
			}
			other := &s.ridges[at]
			seen := other.agreed.across(cell.acrossX*other.acrossX + cell.acrossY*other.acrossY)
			if row == 0 || column == 0 {
				beside += seen
			} else {
				slanted += seen
			}
		}
	}
	most := math.MinInt
	for k := range slipCount {
		off := k - mostSlips
		sum := slipBeside*int(beside>>(8*k)&0xff) + slipSlanted*int(slanted>>(8*k)&0xff) - off*off
		if sum > most {
			best, most = k, sum
		}
	}
	return best
}

// across is what a cell says of the slips of another one, the cosine between
// whose normals is alike.
func (s slips) across(alike float32) slips {
	switch {
	case alike > slipsAlike:
		return s
	case alike < -slipsAlike:
		return slips(bits.ReverseBytes64(uint64(s)) >> 8)
	}
	var turned slips
	seen := float32(mostSlips+0.5) - mostSlips*alike
	for k := range slipCount {
		turned |= s >> (8 * uint(seen)) & 0xff << (8 * k)
		seen += alike
	}
	return turned
}

// slipsAlike is the cosine above which slips are the same, rounded.
const slipsAlike = 1 - 0.5/mostSlips
