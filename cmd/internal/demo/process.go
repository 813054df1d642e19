package demo

import (
	"bytes"
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
	exited chan struct{} // closed when the process has ended
	err    error         // how it ended; valid once exited is closed
}

// start runs the daemon and returns when it has told, in systemd's way, that
// it is ready. A daemon that ends before that is an error with its last words.
func (p *process) start(ctx context.Context) error {
	ready, err := listenNotify(filepath.Join(p.dir, p.name+".notify"))
	if err != nil {
		return err
	}
	defer ready.Close()
	log, err := os.OpenFile(p.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	defer log.Close()
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	p.cmd = exec.Command(self, p.args...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+ready.LocalAddr().String())
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // no daemon outlives the demo
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", p.name, err)
	}
	p.exited = make(chan struct{})
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	return p.awaitReady(ctx, ready)
}

func (p *process) awaitReady(ctx context.Context, ready *net.UnixConn) error {
	told := make(chan error, 1)
	go func() { told <- waitNotify(ready, "READY=1") }()
	select {
	case err := <-told:
		return err
	case <-p.exited:
		return fmt.Errorf("%s ended before it was ready: %w\n%s", p.name, p.err, p.lastWords())
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Minute):
		return fmt.Errorf("%s was not ready within a minute\n%s", p.name, p.lastWords())
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

func waitNotify(c *net.UnixConn, state string) error {
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return fmt.Errorf("waiting for %s: %w", state, err)
		}
		if bytes.Contains(buf[:n], []byte(state)) {
			return nil
		}
	}
}
