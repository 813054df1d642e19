package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A process is one daemon of the demo, run as its own program as in a school.
type process struct {
	name   string
	args   []string // of this program: the hidden commands that are the daemons
	dir    string   // for its log and its notification socket
	cmd    *exec.Cmd
	states chan string   // what it tells in systemd's way: "READY=1"
	exited chan struct{} // closed when the process has ended
	err    error         // how it ended; valid once exited is closed
}

// start runs the daemon and returns when it has told that it is ready. A daemon
// that ends before that is an error with its last words.
func (p *process) start(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	log, err := os.OpenFile(p.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	defer log.Close()
	notify, err := listenNotify(filepath.Join(p.dir, p.name+".notify"))
	if err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	p.cmd = exec.Command(self, p.args...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+notify.LocalAddr().String())
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // no daemon outlives the demo
	if err := p.cmd.Start(); err != nil {
		notify.Close()
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	p.states, p.exited = make(chan string, 16), make(chan struct{})
	go p.listen(notify)
	go func() {
		p.err = p.cmd.Wait()
		notify.Close()
		close(p.exited)
	}()
	return p.told(ctx, "READY=1")
}

// listen passes on what the daemon tells, until its socket is closed.
func (p *process) listen(notify *net.UnixConn) {
	buf := make([]byte, 4096)
	for {
		n, err := notify.Read(buf)
		if err != nil {
			return
		}
		for state := range strings.SplitSeq(string(buf[:n]), "\n") {
			p.states <- state
		}
	}
}

// told waits until the daemon has told the given state.
func (p *process) told(ctx context.Context, state string) error {
	for {
		select {
		case s := <-p.states:
			if s == state {
				return nil
			}
		case <-p.exited:
			return fmt.Errorf("%s ended before it told %s: %w\n%s", p.name, state, p.err, p.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("%s has not told %s: %w\n%s", p.name, state, context.Cause(ctx), p.lastWords())
		}
	}
}

// stop asks the daemon to end and waits for it; one that has ended already is left alone.
func (p *process) stop() {
	if p.cmd == nil || p.cmd.Process == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // an error means that it has ended
	select {
	case <-p.exited:
	case <-time.After(10 * time.Second):
		p.kill()
	}
}

// kill is the pulled plug, as far as a process can have one.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

func (p *process) logPath() string { return filepath.Join(p.dir, p.name+".log") }

// lastWords are the last lines of the daemon's log.
func (p *process) lastWords() string {
	text, err := os.ReadFile(p.logPath())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "\n")
}

// listenNotify opens a datagram socket as systemd's NOTIFY_SOCKET.
func listenNotify(path string) (*net.UnixConn, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
}
