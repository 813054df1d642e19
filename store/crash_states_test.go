package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tillprint/tillprint/store/crashtest"
)

const crashChild = "TILLPRINT_TEST_CRASH_CHILD" // folder and marks of a process that shall play the script

func init() {
	if where := os.Getenv(crashChild); where != "" {
		part := strings.Split(where, ":")
		if err := playScript(scripts[part[2]], part[0], part[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// scripts are what a traced process can be asked to play.
var scripts = map[string][]scripted{"everything": crashScript, "salvage": salvageScript, "upgrade": upgradeScript}

// playScript runs a script and makes a mark, a promise as JSON, after each operation.
func playScript(script []scripted, dir, marks string) error {
	f, err := os.Create(marks)
	if err != nil {
		return err
	}
	c := newCanteen(dir, 1)
	for _, op := range script {
		before := map[string]bool{}
		if c.st != nil {
			before = dataKeys(c.st.table)
		}
		if err := op.do(c); err != nil {
			return fmt.Errorf("%s: %w", op.name, err)
		}
		p := promise{Name: op.name, Now: c.now}
		if c.st != nil {
			if p.Holds, err = digest(c.st); err != nil {
				return fmt.Errorf("%s: %w", op.name, err)
			}
			if p.Unsent, err = onlyHere(c.st); err != nil {
				return fmt.Errorf("%s: %w", op.name, err)
			}
			after := dataKeys(c.st.table)
			maps.DeleteFunc(before, func(k string, _ bool) bool { return after[k] })
		}
		p.Killed = slices.Sorted(maps.Keys(before))
		text, err := json.Marshal(p)
		if err != nil {
			return err
		}
		if _, err := f.Write(text); err != nil {
			return err
		}
	}
	return nil
}

// crashDir is a folder in memory where there is one.
func crashDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "tillprint-crash-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// recordScript plays the script in a process of its own and records its writes.
func recordScript(t *testing.T) (*crashtest.Trace, []promise) { return record(t, "everything") }

func record(t *testing.T, script string) (*crashtest.Trace, []promise) {
	t.Helper()
	root := crashDir(t)
	dir, marks := filepath.Join(root, "disk"), filepath.Join(root, "marks")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashChild+"="+dir+":"+marks+":"+script)
	trace, err := crashtest.Record(cmd, dir, marks)
	if errors.Is(err, crashtest.ErrNoStrace) {
		t.Skip("skipped: recording writes needs strace:", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	var promises []promise
	for _, text := range trace.Marks() {
		var p promise
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatal(err)
		}
		promises = append(promises, p)
	}
	if len(promises) != len(scripts[script]) {
		t.Fatalf("%d of %d operations were recorded", len(promises), len(scripts[script]))
	}
	return trace, promises
}

// judge opens disks and says what has become of the promises.
type judge struct {
	t        testing.TB
	promises []promise
	dir      string
	tables   [][]byte // every key table that was ever written: the medium may still hold them
}

func newJudge(t testing.TB, trace *crashtest.Trace, promises []promise) judge {
	j := judge{t: t, promises: promises, dir: crashDir(t)}
	for _, op := range trace.Ops {
		if op.Kind == crashtest.Write && strings.HasPrefix(filepath.Base(op.Path), tableName) {
			j.tables = append(j.tables, op.Data)
		}
	}
	return j
}

// verdict is the answer about one disk.
type verdict int

const (
	kept     verdict = iota // the last promise holds, or the operation that was being carried out is complete
	aside                   // doubtful records were set aside, and the warning says so
	refused                 // the store does not open, and the error says why
	older                   // an earlier promise holds, and nobody would notice
	reported                // it opens, and a warning or the check that follows every start says what is wrong
	unlike                  // it opens, and holds what was never promised
	undead                  // before the next start, a key that was promised to be dead opens something
	revived                 // and also after it
	paniced                 // the program would have died
)

func (v verdict) String() string {
	return [...]string{"kept", "set aside", "refused", "older", "reported", "unlike", "undead", "revived", "panic"}[v]
}

func (j judge) judge(s crashtest.State) (v verdict, why string) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			v, why = paniced, fmt.Sprintf("%v\n%s", r, debug.Stack())
		}
	}()
	if err := s.WriteTo(j.dir); err != nil {
		j.t.Fatal(err)
	}
	before := j.revived(s.Marks)
	c := newCanteen(j.dir, 2)
	if s.Marks > 0 {
		c.now = j.promises[s.Marks-1].Now
	}
	if err := c.reopen(); err != nil {
		v, why = j.closed(c, s.Marks, err)
	} else {
		v, why = j.opened(c, s.Marks)
		if err := c.st.Close(); err != nil && v == kept {
			v, why = reported, err.Error()
		}
	}
	switch after := j.revived(s.Marks); {
	case after != "":
		return revived, after
	case before != "":
		return undead, before
	}
	return v, why
}

// revived looks for a key that one of the first promises called dead.
func (j judge) revived(marks int) string {
	keys := reachable(j.dir, append(tablesIn(j.t, j.dir), j.tables...))
	for _, p := range j.promises[:marks] {
		for _, k := range p.Killed {
			if keys[k] {
				return "a key that died in " + p.Name
			}
		}
	}
	return ""
}

// closed judges a disk on which no store opens: right before the store has been made and after its end. Then it must
// be possible to begin anew.
func (j judge) closed(c *canteen, marks int, cause error) (verdict, string) {
	ended := marks > 0 && j.promises[marks-1].Holds == "" || marks < len(j.promises) && j.promises[marks].Holds == ""
	if marks > 0 && !ended {
		return refused, cause.Error()
	}
	_, err := SetAside(c.folder(), c.options())
	if marks > 0 {
		err = errors.Join(err, c.create())
	} else if err = c.create(); err != nil {
		err = fmt.Errorf("beginning anew: %w", err)
	}
	if err != nil {
		return refused, fmt.Sprintf("%v; then %v", cause, err)
	}
	return kept, ""
}

func (j judge) opened(c *canteen, marks int) (verdict, string) {
	if names, _ := filepath.Glob(filepath.Join(c.folder(), recordsName+".aside-*")); len(names) > 0 && c.st.Epoch() > 0 && marks < len(j.promises)-2 {
		return aside, strings.Join(c.st.Warnings(), "; ")
	}
	for _, v := range c.st.Check() {
		return reported, v.Invariant + ": " + v.Text
	}
	holds, err := digest(c.st)
	if err != nil {
		return unlike, err.Error()
	}
	now := j.around(marks)
	fits := slices.ContainsFunc(now, func(p promise) bool { return p.Holds == holds }) || marks == 0
	for i := marks - 2; i >= 0 && !fits; i-- {
		if j.promises[i].Holds == holds && len(c.st.Warnings()) > 0 {
			return reported, strings.Join(c.st.Warnings(), "; ")
		}
		if j.promises[i].Holds == holds {
			return older, "as after " + j.promises[i].Name
		}
	}
	if !fits {
		return unlike, cmp.Diff(now[0].Holds, holds)
	}
	return kept, ""
}

// around are the promises that may hold after so many marks: the last one and the one in the making.
func (j judge) around(marks int) []promise {
	return j.promises[max(0, marks-1):min(len(j.promises), marks+1)]
}

// tally judges many disks, until report returns false, and returns how many there were of each verdict.
func (j judge) tally(states iter.Seq[crashtest.State], report func(crashtest.State, verdict, string) bool) map[verdict]int {
	count := map[verdict]int{}
	for s := range states {
		v, why := j.judge(s)
		count[v]++
		if !report(s, v, why) {
			break
		}
	}
	return count
}
