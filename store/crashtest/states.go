package crashtest

import (
	"fmt"
	"iter"
	"math/rand/v2"
)

// State is a disk after a cut.
type State struct {
	Disk
	Marks int    // marks that the program had made before the cut: what it had promised by then
	Where string // for messages: the operation that the cut came before, and what had arrived
}

// Bounds limits the states of each stretch between two barriers. Where there are more, Seed decides which are built.
type Bounds struct {
	Subsets int // sets of arrived operations
	Torn    int // states with one torn write
	Seed    uint64
}

// All builds everything up to a size that no stretch of a few pages reaches.
var All = Bounds{Subsets: 1 << 12, Torn: 1 << 12, Seed: 1}

// States builds the disks that a cut could leave: for each moment before an fsync, a mark and the end, every set of
// the operations that are not durable yet, and each of their writes torn. Within one number of marks, a disk
// comes once.
func (t *Trace) States(b Bounds) iter.Seq[State] {
	return func(yield func(State) bool) {
		durable, marks := newMedium(), 0
		var open []Op // not durable yet
		random := rand.New(rand.NewPCG(b.Seed, 0))
		seen := map[uint64]bool{}
		emit := func(i int) bool {
			s := stretch{durable: durable, open: open, b: b, random: random}
			return s.each(func(d Disk, what string) bool {
				if h := d.hash(); seen[h] {
					return true
				} else {
					seen[h] = true
				}
				return yield(State{d, marks, fmt.Sprintf("before operation %d of %d, after %d marks: %s", i, len(t.Ops), marks, what)})
			})
		}
		for i, op := range t.Ops {
			if (op.isSync() || op.Kind == Mark) && !emit(i) {
				return
			}
			switch {
			case op.Kind == Mark:
				marks++
				clear(seen)
			case op.isSync():
				open = settle(durable, open, op)
			default:
				open = append(open, op)
			}
		}
		emit(len(t.Ops))
	}
}

// settle makes durable what the fsync s covers and returns the rest.
func settle(durable *medium, open []Op, s Op) (rest []Op) {
	for _, op := range open {
		if s.flushes(op) {
			durable.apply(op, 0, len(op.Data))
		} else {
			rest = append(rest, op)
		}
	}
	return rest
}

// stretch is a moment: what is durable, and what may have arrived.
type stretch struct {
	durable *medium
	open    []Op
	b       Bounds
	random  *rand.Rand
}

// each builds the states of the moment: sets first, then torn writes.
func (s *stretch) each(f func(d Disk, what string) bool) bool {
	for set := range s.sets() {
		if !f(s.build(set, -1, 0, 0), fmt.Sprintf("of %d operations arrived %v", len(s.open), set)) {
			return false
		}
	}
	for _, c := range s.cuts() {
		if !f(s.build(c.set, c.op, c.from, c.to), fmt.Sprintf("of %d operations arrived %v, of number %d bytes %d to %d", len(s.open), c.set, c.op, c.from, c.to)) {
			return false
		}
	}
	return true
}

// build lets a set of operations arrive; number torn, if any, only in part.
func (s *stretch) build(set []bool, torn, from, to int) Disk {
	m := s.durable.clone()
	for i, op := range s.open {
		switch {
		case i == torn:
			m.apply(op, from, to)
		case set[i]:
			m.apply(op, 0, len(op.Data))
		}
	}
	return m.disk()
}
