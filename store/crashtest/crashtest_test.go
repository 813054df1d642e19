package crashtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// quoted writes a string as strace -xx does.
func quoted(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, `\x%02x`, c)
	}
	return `"` + b.String() + `"`
}

func TestParse(t *testing.T) {
	text := strings.Join([]string{
		`7  openat(AT_FDCWD, ` + quoted("/d/a.new") + `, O_WRONLY|O_CREAT|O_CLOEXEC, 0600) = 5`,
		`7  write(5, ` + quoted("ab") + `, 2 <unfinished ...>`,
		`8  openat(AT_FDCWD, ` + quoted("/elsewhere") + `, O_RDWR|O_CREAT, 0600) = 6`,
		`8  write(6, ` + quoted("x") + `, 1) = 1`,
		`7  <... write resumed>) = 2`,
		`7  write(5, ` + quoted("c") + `, 1) = 1`,
		`7  fsync(5) = 0`,
		`7  close(5) = 0`,
		`7  renameat(AT_FDCWD, ` + quoted("/d/a.new") + `, AT_FDCWD, ` + quoted("/d/a") + `) = 0`,
		`7  unlinkat(AT_FDCWD, ` + quoted("/d/none") + `, 0) = -1 ENOENT (No such file or directory)`,
		`7  openat(AT_FDCWD, ` + quoted("/d") + `, O_RDONLY) = 5`,
		`7  fsync(5) = 0`,
		`7  openat(AT_FDCWD, ` + quoted("/marks") + `, O_WRONLY|O_CREAT, 0600) = 9`,
		`7  write(9, ` + quoted("done") + `, 4) = 4`,
		`7  +++ exited with 0 +++`, ""}, "\n")
	trace, err := parse(strings.NewReader(text), "/d", "/marks")
	if err != nil {
		t.Fatal(err)
	}
	want := []Op{
		{Kind: Create, Path: "a.new"},
		{Kind: Write, Path: "a.new", Data: []byte("ab")},
		{Kind: Write, Path: "a.new", At: 2, Data: []byte("c")},
		{Kind: Sync, Path: "a.new"},
		{Kind: Rename, Path: "a.new", To: "a"},
		{Kind: SyncDir, Path: "."},
		{Kind: Mark, Text: "done"},
	}
	if diff := cmp.Diff(want, trace.Ops); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// States counts what can be counted by hand: two pages over an old file, one of them two sectors long.
func TestStates(t *testing.T) {
	old, sector := strings.Repeat("o", 3*Sector), strings.Repeat("n", Sector)
	trace := &Trace{[]Op{
		{Kind: Create, Path: "f"}, {Kind: SyncDir, Path: "."},
		{Kind: Write, Path: "f", Data: []byte(old)}, {Kind: Sync, Path: "f"}, {Kind: Mark},
		{Kind: Write, Path: "f", Data: []byte(sector)},
		{Kind: Write, Path: "f", At: Sector, Data: []byte(sector + sector)},
		{Kind: Sync, Path: "f"},
	}}
	got := map[string]bool{}
	for s := range trace.States(All) {
		if s.Marks == 1 {
			b := s.Files["f"]
			got[string([]byte{b[0], b[Sector], b[2*Sector]})] = true
		}
	}
	if len(got) != 8 {
		t.Errorf("of the 8 ways in which 3 sectors arrive, %d were built: %v", len(got), got)
	}
	lies := 0
	for s := range trace.Lies(All, 1) {
		if string(s.Files["f"]) == old {
			lies++
		}
	}
	if lies != 1 { // only the last fsync comes after the mark, and nothing comes after that
		t.Errorf("%d disks of a card that ignored the last fsync", lies)
	}
}
