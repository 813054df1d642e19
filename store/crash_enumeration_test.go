package store

import (
	"iter"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/tillprint/tillprint/store/crashtest"
)

// crashBounds are a quick sample. With TILLPRINT_LONG=1 every write is torn between all of its sectors, and so many sets of the
// operations that wait for a barrier are built: 64 are all sets of up to six operations. Beyond that it is a sample of 64, since
// the longest stretch has 117 operations, and 2^117 sets cannot be enumerated: none, all, single ones, all but one, random ones.
func crashBounds(quick, sets int) crashtest.Bounds {
	if os.Getenv("TILLPRINT_LONG") != "" {
		return crashtest.Bounds{Subsets: sets, Torn: math.MaxInt, Seed: 1}
	}
	return crashtest.Bounds{Subsets: quick, Torn: quick, Seed: 1}
}

// Every disk that a power cut can leave, at any moment of any operation, opens with everything that had been
// acknowledged, and nothing of what had been wiped.
func TestI2EveryCrashStateOfEveryOperation(t *testing.T) {
	trace, promises := recordScript(t)
	bad := 0
	count := newJudge(t, trace, promises).tally(trace.States(crashBounds(3, 64)), func(s crashtest.State, v verdict, why string) bool {
		if v != kept {
			bad++
			t.Errorf("%s, during %q: %s: %s", s.Where, promises[min(s.Marks, len(promises)-1)].Name, v, why)
		}
		return bad < 10
	})
	t.Logf("%d operations, %d writes, %d fsyncs; disks: %v", len(promises), trace.Count(crashtest.Write),
		trace.Count(crashtest.Sync)+trace.Count(crashtest.SyncDir), count)
	if count[kept] < 300 {
		t.Errorf("only %d disks were built", count[kept])
	}
	t.Run("control", func(t *testing.T) { forgetfulStoresFail(t, trace, promises) })
}

// forgetfulStoresFail leaves out the fsyncs of one file after the other: if the judge still liked every disk, its
// liking would mean nothing.
func forgetfulStoresFail(t *testing.T, trace *crashtest.Trace, promises []promise) {
	for _, c := range []struct {
		name string
		drop func(crashtest.Op) bool
		want []verdict // each must be found
	}{
		{"records", syncOf("store/records.db"), []verdict{aside}},
		{"key file", syncOf("root.key"), []verdict{refused, undead}},
		{"key table", syncOf("store/keytable.new"), []verdict{refused}},
		{"folders", func(op crashtest.Op) bool { return op.Kind == crashtest.SyncDir }, []verdict{refused}},
	} {
		missing := slices.Clone(c.want)
		states := trace.Without(c.drop).States(crashtest.Bounds{Subsets: 4, Torn: 1, Seed: 1})
		count := newJudge(t, trace, promises).tally(states, func(_ crashtest.State, v verdict, _ string) bool {
			missing = slices.DeleteFunc(missing, func(m verdict) bool { return m == v })
			return len(missing) > 0
		})
		t.Logf("without the fsyncs of the %s: %v", c.name, count)
		if len(missing) > 0 {
			t.Errorf("without the fsyncs of the %s nothing is %v: %v", c.name, missing, count)
		}
	}
}

func syncOf(path string) func(crashtest.Op) bool {
	return func(op crashtest.Op) bool { return op.Kind == crashtest.Sync && op.Path == path }
}

// sampled takes every fifth disk, or with TILLPRINT_LONG=1 each.
func sampled(states iter.Seq[crashtest.State]) iter.Seq[crashtest.State] {
	if os.Getenv("TILLPRINT_LONG") != "" {
		return states
	}
	return func(yield func(crashtest.State) bool) {
		n := 0
		for s := range states {
			if n++; n%5 == 0 && !yield(s) {
				return
			}
		}
	}
}

// A card that did not do all of one fsync and was honest ever after is noticed at the next start: by the structure, by
// what does not open, by the digest of all rows, by a sequence or a number of transactions that does not agree, by the witness of the last
// change, or by the check that follows. What no terminal can notice by itself takes two lies, one about the records and one about the
// witness: both are then what they were, as if the plug had been pulled a moment earlier, and only the hub, which has countersigned a longer
// log, knows better. Whatever happens, the program lives, and no key comes back: each is overwritten twice, so one lie is not enough.
func TestLyingCardNeitherKillsNorRevives(t *testing.T) {
	trace, promises := recordScript(t)
	count := newJudge(t, trace, promises).tally(sampled(trace.Lies(crashBounds(2, 16), 1)), func(s crashtest.State, v verdict, why string) bool {
		if v == paniced || v == revived || v == undead {
			t.Errorf("%s, after %q: %s: %s", s.Where, promises[s.Marks-1].Name, v, why)
		}
		if v == unlike || v == older {
			t.Errorf("not noticed: %s, after %q: %s %s", s.Where, promises[s.Marks-1].Name, v, why)
		}
		return true
	})
	t.Logf("disks: %v", count)
	if count[aside] == 0 || count[refused] == 0 {
		t.Errorf("no lie was noticed: %v", count)
	}
}
