package zfmsim

import (
	"fmt"
	"os"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// terminal is the pseudo-terminal between module and host: the module has the master's end.
type terminal struct {
	master *os.File
	slave  *os.File // kept open: without any slave open, reading the master fails
	path   string
}

func openTerminal() (*terminal, error) {
	blocking, slave, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("opening a pseudo-terminal for the simulated sensor: %w", err)
	}
	defer blocking.Close()
	t := &terminal{slave: slave, path: slave.Name()}
	if t.master, err = pollable(blocking); err == nil {
		_, err = term.MakeRaw(int(slave.Fd())) // else the terminal echoes what the module sends before a host is there
	}
	if err != nil {
		t.close()
		return nil, fmt.Errorf("preparing the simulated sensor's pseudo-terminal: %w", err)
	}
	return t, nil
}

// pollable returns a copy of f whose Read ends when it is closed, which those of a blocking file do not.
func pollable(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// hostBaud is the rate at which the host listens, as its end of the terminal is set; 0 if unknown.
func (t *terminal) hostBaud() int {
	baud := 0
	control(t.master, func(fd int) {
		if settings, err := unix.IoctlGetTermios(fd, unix.TCGETS2); err == nil {
			baud = int(settings.Ospeed)
		}
	})
	return baud
}

// allowReopening undoes the host's exclusive use, which a real port forgets when its last user is gone, even killed.
// Here the slave kept open would preserve it.
func (t *terminal) allowReopening() {
	control(t.slave, func(fd int) { unix.IoctlSetInt(fd, unix.TIOCNXCL, 0) })
}

// control calls f with the file's descriptor unless the file is closed. Unlike Fd it may run while another goroutine closes the
// file, which is how a cable is pulled.
func control(file *os.File, f func(fd int)) {
	if conn, err := file.SyscallConn(); err == nil {
		conn.Control(func(fd uintptr) { f(int(fd)) })
	}
}

func (t *terminal) close() {
	if t.master != nil {
		t.master.Close()
	}
	t.slave.Close()
}
