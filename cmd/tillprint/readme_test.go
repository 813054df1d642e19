package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// block is one fenced block of a Markdown file.
type block struct {
	language string
	line     int // of the fence, from 1
	text     string
}

// TestREADME runs every command that the README gives in a ```sh block, from
// the root of the repository, and fails with the first that does. A block of
// ```console is for hardware or for a machine of its own, and is not run.
func TestREADME(t *testing.T) {
	if os.Getenv("TILLPRINT_README") == "" {
		t.Skip("the README's commands run with TILLPRINT_README=1, as in make readme")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	run := 0
	for _, b := range fences(string(text)) {
		if b.language != "sh" {
			continue
		}
		run++
		if err := runBlock(t, root, b); err != nil {
			t.Errorf("README.md:%d: %v", b.line, err)
		}
	}
	if run == 0 {
		t.Error("the README has no ```sh block: it says nothing that could be tried")
	}
}

// runBlock runs a block with the built commands on its PATH and a home of its
// own. What runs without end, or would run this test again, is only looked at.
func runBlock(t *testing.T, root string, b block) error {
	t.Helper()
	script := b.text
	first, _, _ := strings.Cut(script, "\n")
	if first == "make test" || first == "make demo" {
		script = "make -n " + strings.TrimPrefix(first, "make ") + " >/dev/null"
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "PATH="+filepath.Join(root, "bin")+":"+os.Getenv("PATH"),
		"GOCACHE="+goEnv(t, "GOCACHE"), "GOMODCACHE="+goEnv(t, "GOMODCACHE"))
	out, err := cmd.CombinedOutput()
	t.Logf("README.md:%d:\n%s%s", b.line, script, tail(string(out), 20))
	return err
}

// goEnv keeps Go's caches where they are, though HOME is elsewhere.
func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func tail(text string, lines int) string {
	all := strings.SplitAfter(text, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "")
}

// fences finds the fenced blocks of a Markdown text. One that is not closed
// ends with the text.
func fences(text string) []block {
	var all []block
	var open *block
	n := 0
	for line := range strings.Lines(text) {
		n++
		word, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence && open == nil:
			all = append(all, block{language: word, line: n})
			open = &all[len(all)-1]
		case fence:
			open = nil
		case open != nil:
			open.text += line
		}
	}
	return all
}

func TestFences(t *testing.T) {
	got := fences("a\n```sh\nmake demo\n```\nb\n```console\nx\ny\n```\n```sh\nopen\n")
	want := []block{{"sh", 2, "make demo\n"}, {"console", 6, "x\ny\n"}, {"sh", 10, "open\n"}}
	if len(got) != len(want) {
		t.Fatalf("%v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("block %d is %v, want %v", i, got[i], want[i])
		}
	}
}
