package crashtest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrNoStrace means that this machine has no strace, or does not let it trace.
var ErrNoStrace = errors.New("strace is not there or may not trace")

// traced are the calls that change files, those that give descriptors, and some that Record refuses because the model
// does not know them.
const traced = "openat,open,creat,close,write,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat," +
	"link,linkat,symlinkat,writev,pwritev,pwritev2,fallocate,copy_file_range,sendfile,msync,truncate"

// Record runs cmd to its end and returns what it did below dir, an existing empty folder, and what it wrote to the
// file marks, one mark for each write. Both paths are absolute and without symbolic links.
func Record(cmd *exec.Cmd, dir, marks string) (*Trace, error) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoStrace, err)
	}
	out := marks + ".strace"
	defer os.Remove(out)
	cmd.Args = append([]string{"strace", "-f", "-qq", "--seccomp-bpf", "-xx", "-s", "67108864", "-o", out, "-e", "trace=" + traced, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = strace
	said, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(string(said), "ptrace") {
		return nil, fmt.Errorf("%w: %s", ErrNoStrace, said)
	}
	if err != nil {
		return nil, fmt.Errorf("running the program under strace: %w\n%s", err, said)
	}
	f, err := os.Open(out)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parse(f, dir, marks)
}

// parse reads strace's output. A call that another thread's call interrupted comes in two lines, which it joins.
func parse(r io.Reader, dir, marks string) (*Trace, error) {
	p := &parser{dir: filepath.Clean(dir), marks: marks, open: map[string]*descriptor{}, names: map[string]int{}}
	begun := map[string]string{} // by process: the first half of a call
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return &Trace{p.ops}, nil
		}
		if err != nil {
			return nil, err
		}
		pid, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		text = strings.TrimSpace(text)
		if head, unfinished := strings.CutSuffix(text, "<unfinished ...>"); unfinished {
			begun[pid] = head
			continue
		}
		if strings.HasPrefix(text, "<... ") {
			_, tail, _ := strings.Cut(text, " resumed>")
			text = strings.TrimSpace(begun[pid]) + " " + strings.TrimSpace(tail)
			delete(begun, pid)
		}
		if err := p.line(text); err != nil {
			return nil, err
		}
	}
}
