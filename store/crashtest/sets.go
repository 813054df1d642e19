package crashtest

import (
	"iter"
	"slices"
)

// A choice is what may have arrived independently of the rest: one write or truncation, or the changes of names of one
// folder, of which the first so and so many arrive.
type choice []int // indexes of operations

func (s *stretch) choices() (all []choice) {
	folders := map[string]int{}
	for i, op := range s.open {
		if op.isData() {
			all = append(all, choice{i})
			continue
		}
		at, ok := folders[op.dir()]
		if !ok {
			at = len(all)
			folders[op.dir()] = at
			all = append(all, nil)
		}
		all[at] = append(all[at], i)
	}
	return all
}

// sets gives every set of operations that may have arrived; beyond the bound nothing, everything, each choice alone,
// everything without it, and random ones.
func (s *stretch) sets() iter.Seq[[]bool] {
	all := s.choices()
	total := 1
	for _, c := range all {
		total = min(total*(len(c)+1), s.b.Subsets+1)
	}
	return func(yield func([]bool) bool) {
		if total > s.b.Subsets {
			s.sample(all, yield)
			return
		}
		counter := make([]int, len(all))
		for range total {
			if !yield(s.set(all, counter)) {
				return
			}
			for i := range counter { // the next number in mixed radix
				if counter[i]++; counter[i] <= len(all[i]) {
					break
				}
				counter[i] = 0
			}
		}
	}
}

// set is the set in which the first counter[i] operations of choice i have arrived.
func (s *stretch) set(all []choice, counter []int) []bool {
	set := make([]bool, len(s.open))
	for i, c := range all {
		for _, op := range c[:counter[i]] {
			set[op] = true
		}
	}
	return set
}

func (s *stretch) sample(all []choice, yield func([]bool) bool) {
	none, full := make([]int, len(all)), make([]int, len(all))
	for i, c := range all {
		full[i] = len(c)
	}
	counters := [][]int{none, full}
	for i := range all {
		one, but := slices.Clone(none), slices.Clone(full)
		one[i], but[i] = full[i], 0
		counters = append(counters, one, but)
	}
	for len(counters) < s.b.Subsets {
		c := make([]int, len(all))
		for i := range all {
			c[i] = s.random.IntN(len(all[i]) + 1)
		}
		counters = append(counters, c)
	}
	for _, c := range counters[:max(2, s.b.Subsets)] {
		if !yield(s.set(all, c)) {
			return
		}
	}
}

// cut is one torn write among others that arrived whole or not at all.
type cut struct {
	set          []bool
	op, from, to int
}

// cuts tears each write at each sector boundary of its file: the front arrives, or the back, with all of the other
// operations or none.
func (s *stretch) cuts() (all []cut) {
	none, full := make([]bool, len(s.open)), slices.Repeat([]bool{true}, len(s.open))
	for i, op := range s.open {
		if op.Kind != Write {
			continue
		}
		for at := Sector - int(op.At%Sector); at < len(op.Data); at += Sector {
			for _, set := range [][]bool{none, full} {
				all = append(all, cut{set, i, 0, at}, cut{set, i, at, len(op.Data)})
			}
		}
	}
	if len(all) > s.b.Torn {
		s.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		all = all[:s.b.Torn]
	}
	return all
}
