package till

import (
	"fmt"
	"slices"

	"github.com/tillprint/tillprint/matcher"
)

// strays returns which presses of the present finger are not alike to the rest,
// as indices of taken: three presses that mix two fingers, or a finger's middle
// with its edge, would make a template that names its owner badly, or two people.
// Presses belong together if a chain of pairs connects them, each more alike than
// all but the share unlike of pairs of different fingers. Of groups of equal size
// none is better than another: then all are strays.
func (e *enrolment) strays(unlike float64) []int {
	var of []int
	for i, k := range e.taken {
		if k.finger == e.fingers[e.nth] {
			of = append(of, i)
		}
	}
	group := make([]int, len(of)) // the smallest index that a press is connected to
	for i := range of {
		group[i] = i
		for j := range i {
			if group[j] != group[i] && alike(e.taken[of[i]].template, e.taken[of[j]].template, unlike) {
				join(group, i, j)
			}
		}
	}
	best, size := -1, len(of)/2
	for g := range of {
		if n := count(group, g); n > size {
			best, size = g, n
		}
	}
	var strays []int
	for i, g := range group {
		if g != best {
			strays = append(strays, of[i])
		}
	}
	return strays
}

// join makes the groups of i and j one.
func join(group []int, i, j int) {
	from, to := max(group[i], group[j]), min(group[i], group[j])
	for k, g := range group {
		if g == from {
			group[k] = to
		}
	}
}

func count(group []int, g int) (n int) {
	for _, x := range group {
		if x == g {
			n++
		}
	}
	return n
}

// alike compares two presses of one sitting, one to one.
func alike(a, b *matcher.Template, unlike float64) bool {
	x, err := matcher.Prepare(a)
	if err != nil {
		return false
	}
	defer x.Clear()
	sized := *b
	sized.Grow(1) // nobody grows in a sitting
	y, err := matcher.Prepare(&sized)
	if err != nil {
		return false
	}
	defer y.Clear()
	return matcher.FalseMatchRate(matcher.Score(x, y)) <= unlike
}

// drop forgets some of the present finger's presses.
func (e *enrolment) drop(strays []int) {
	for _, i := range slices.Backward(strays) {
		e.taken[i].template.Clear()
		e.taken = slices.Delete(e.taken, i, i+1)
		e.presses--
	}
}

func strayWords(n int) string {
	if n == 1 {
		return "One does not count; press again."
	}
	return fmt.Sprintf("These %d do not count; press again.", n)
}
