package clitest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is for how long a script waits for what must happen; on a quiet
// machine all of it happens at once.
const patience = time.Minute

// daemons are those of one script, by the name that the script gives them.
type daemons map[string]*daemon

// daemonsKey is where a script's values hold them.
type daemonsKey struct{}

type daemon struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer // valid once ended is closed
	ended  chan struct{}
	err    error // how it ended; valid once ended is closed
}

// Setup makes room for a script's daemons. Hand it to testscript.Params.Setup.
func Setup(env *testscript.Env) error {
	all := daemons{}
	env.Values[daemonsKey{}] = all
	env.Defer(func() {
		for _, d := range all {
			d.end()
		}
	})
	return nil
}

// Daemon runs "daemon NAME COMMAND ARG..." as systemd would: it returns when
// the process has told that it is ready. The script's end stops it.
func Daemon(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: daemon NAME COMMAND ARG...")
	}
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(ts.MkAbs("."), args[0]+".notify"), Net: "unixgram"})
	ts.Check(err)
	d := &daemon{cmd: exec.Command(args[1], args[2:]...), ended: make(chan struct{})}
	d.cmd.Dir, d.cmd.Stderr = ts.MkAbs("."), &d.stderr
	d.cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+notify.LocalAddr().String())
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // no daemon outlives the test
	ts.Check(d.cmd.Start())
	go func() {
		d.err = d.cmd.Wait()
		notify.Close() // whoever waits for readiness learns that none will come
		close(d.ended)
	}()
	all := ts.Value(daemonsKey{}).(daemons)
	all[args[0]] = d
	if err := ready(notify); err != nil {
		d.end()
		ts.Fatalf("%s is not ready: %v\n%s", args[0], err, d.stderr.String())
	}
}

func ready(notify *net.UnixConn) error {
	if err := notify.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	told := make([]byte, 4096)
	for {
		n, err := notify.Read(told)
		if err != nil {
			return err
		}
		if strings.Contains(string(told[:n]), "READY=1") {
			return nil
		}
	}
}

// end stops the daemon as systemd would, and waits for it.
func (d *daemon) end() {
	_ = d.cmd.Process.Signal(syscall.SIGTERM) // an error means that it has ended
	select {
	case <-d.ended:
	case <-time.After(patience):
		_ = d.cmd.Process.Kill()
		<-d.ended
		d.err = errors.New("it did not stop when it was told to")
	}
}

// Stop runs "stop NAME": the daemon is told to stop and must exit with 0. What
// it said on standard error is the script's stderr.
func Stop(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: stop NAME")
	}
	all := ts.Value(daemonsKey{}).(daemons)
	d := all[args[0]]
	if d == nil {
		ts.Fatalf("no daemon is called %s", args[0])
	}
	delete(all, args[0])
	d.end()
	fmt.Fprint(ts.Stderr(), d.stderr.String())
	if d.err != nil {
		ts.Fatalf("%s ended badly: %v", args[0], d.err)
	}
}

// Sees runs "sees URL PATTERN": it reads the page or the stream of events until
// a line of it matches. With ! all of the page must be free of the pattern.
func Sees(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: [!] sees URL PATTERN")
	}
	if neg {
		unseen(ts, args[0], args[1])
		return
	}
	Seen(ts, args[0], args[1])
}

// unseen reads all of a page, which must end, and not have the pattern anywhere.
func unseen(ts *testscript.TestScript, address, pattern string) {
	unwanted, err := regexp.Compile(pattern)
	ts.Check(err)
	answer, err := http.Get(address)
	ts.Check(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	ts.Check(err)
	if answer.StatusCode != http.StatusOK || unwanted.Match(text) {
		ts.Fatalf("%s shows %q: %s\n%s", address, pattern, answer.Status, text)
	}
}

// Seen is Sees for other commands: it returns the line.
func Seen(ts *testscript.TestScript, address, pattern string) string {
	wanted, err := regexp.Compile(pattern)
	ts.Check(err)
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	var seen strings.Builder
	for {
		line, err := look(ctx, address, wanted, &seen)
		if line != "" {
			return line
		}
		select { // the daemon begins its page anew now and then, and a browser comes back as well
		case <-ctx.Done():
			ts.Fatalf("%s never shows %q: %v\n%s", address, pattern, err, seen.String())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// look reads one stream to its end, or to the line that is wanted.
func look(ctx context.Context, address string, wanted *regexp.Regexp, seen *strings.Builder) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if wanted.MatchString(lines.Text()) {
			return lines.Text(), nil
		}
		seen.WriteString(lines.Text() + "\n")
	}
	return "", lines.Err()
}

// Post runs "post URL [KEY=VALUE]...": a form is sent, as a button of a page
// does, and must be accepted; with ! it must be refused.
func Post(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 {
		ts.Fatalf("usage: post URL [KEY=VALUE]...")
	}
	form := url.Values{}
	for _, a := range args[1:] {
		key, value, _ := strings.Cut(a, "=")
		form.Set(key, value)
	}
	answer, err := http.PostForm(args[0], form)
	ts.Check(err)
	defer answer.Body.Close()
	if refused := answer.StatusCode >= 300; refused != neg {
		ts.Fatalf("%s: %s", args[0], answer.Status)
	}
}
