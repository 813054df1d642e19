package crashtest

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
)

// Lies builds the disks of a card that answered one fsync without doing all of it, and kept everything else: for each
// fsync after the first skip marks and each set of the operations that it should have made durable, the disk as it
// is at the next fsync, at the next mark and at the end of the trace, without that set. Nothing is torn.
func (t *Trace) Lies(b Bounds, skip int) iter.Seq[State] {
	return func(yield func(State) bool) {
		before, marks := newMedium(), 0
		var open []Op
		random := rand.New(rand.NewPCG(b.Seed, 1))
		for i, op := range t.Ops {
			switch {
			case op.Kind == Mark:
				marks++
			case op.isSync():
				s := stretch{durable: before, open: covered(open, op), b: b, random: random}
				for set := range s.sets() {
					if marks < skip || !slices.Contains(set, false) {
						continue
					}
					if !t.after(i, s.kept(set, open, op), marks, fmt.Sprintf("operation %d did not do %v", i, set), yield) {
						return
					}
				}
				open = settle(before, open, op)
			default:
				open = append(open, op)
			}
		}
	}
}

func covered(open []Op, s Op) (ops []Op) {
	for _, op := range open {
		if s.flushes(op) {
			ops = append(ops, op)
		}
	}
	return ops
}

// kept is the medium after the lie: what was durable, what the fsync did do, and what it had nothing to do with.
func (s *stretch) kept(set []bool, open []Op, lied Op) *medium {
	m := s.durable.clone()
	n := 0
	for _, op := range open {
		arrived := true
		if lied.flushes(op) {
			arrived = set[n]
			n++
		}
		if arrived {
			m.apply(op, 0, len(op.Data))
		}
	}
	return m
}

// after goes on from operation i with a card that is honest again.
func (t *Trace) after(i int, m *medium, marks int, where string, yield func(State) bool) bool {
	synced, marked := false, false
	for _, op := range t.Ops[i+1:] {
		if first := op.isSync() && !synced || op.Kind == Mark && !marked; first {
			if !yield(State{m.disk(), marks, where}) {
				return false
			}
			synced, marked = synced || op.isSync(), marked || op.Kind == Mark
		}
		if op.Kind == Mark {
			marks++
		} else {
			m.apply(op, 0, len(op.Data))
		}
	}
	return yield(State{m.disk(), marks, where})
}
