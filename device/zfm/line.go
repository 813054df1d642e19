package zfm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"

	"github.com/tillprint/tillprint/locked"
)

// line is the serial port and the scanner of what arrives on it. Only the module's own goroutine touches it.
//
// It never sets DTR or RTS and never asks for initial modem bits: neither a three-wire UART nor a pseudo-terminal
// has them, and opening would fail there.
type line struct {
	port serial.Port
	lock *os.File // holds the advisory lock that keeps a second driver out, even as root
	path string
	baud int
	scan Scanner
	buf  []byte // what a read brings, cleared at once; locked memory
}

// slice is the longest that a read blocks: how soon a cancelled context is noticed.
const slice = 10 * time.Millisecond

// openLine opens path at the given baud, 8 data bits, no parity, one stop bit.
func openLine(path string, baud int) (*line, error) {
	lock, err := lockDevice(path)
	if err != nil {
		return nil, err
	}
	port, err := serial.Open(path, mode(baud))
	if err != nil {
		lock.Close()
		return nil, openError(path, err)
	}
	return &line{port: port, lock: lock, path: path, baud: baud, buf: locked.Make[byte](4096),
		scan: Scanner{buf: locked.Make[byte](scannerBytes)[:0]}}, nil
}

// lockDevice checks that path is a device and takes an exclusive lock on it. The serial library's own protection
// (TIOCEXCL) does not hold against root.
func lockDevice(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, openError(path, err)
	}
	if info.Mode()&fs.ModeCharDevice == 0 {
		return nil, openError(path, ErrNotSerial)
	}
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, openError(path, err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, openError(path, err)
	}
	return f, nil
}

// openError turns what opening reported into one sentence with what to do next.
func openError(path string, err error) error {
	var port *serial.PortError
	errors.As(err, &port)
	is := func(code serial.PortErrorCode) bool { return port != nil && port.Code() == code }
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV), is(serial.PortNotFound):
		return fmt.Errorf("no device at %s: connect the sensor, or correct its path in the config (on a Raspberry Pi usually /dev/serial0): %w",
			path, fs.ErrNotExist)
	case errors.Is(err, fs.ErrPermission), is(serial.PermissionDenied):
		return fmt.Errorf("not allowed to open %s: add the user that runs this program to the group dialout: %w",
			path, fs.ErrPermission)
	case errors.Is(err, unix.EBUSY), errors.Is(err, unix.EWOULDBLOCK), is(serial.PortBusy):
		return fmt.Errorf("%s is used by another program: stop it (a serial console, or a second terminal daemon) and try again: %w",
			path, ErrBusy)
	case errors.Is(err, ErrNotSerial), is(serial.InvalidSerialPort):
		return fmt.Errorf("%s is not a serial port: put the path of the sensor's UART into the config (on a Raspberry Pi usually /dev/serial0): %w",
			path, ErrNotSerial)
	}
	return fmt.Errorf("opening the sensor at %s: %w", path, err)
}

func mode(baud int) *serial.Mode {
	return &serial.Mode{BaudRate: baud, DataBits: 8, Parity: serial.NoParity, StopBits: serial.OneStopBit}
}

// setBaud changes the rate and forgets what was received at the old one.
func (l *line) setBaud(baud int) error {
	if err := l.port.SetMode(mode(baud)); err != nil {
		return l.lost(err)
	}
	l.baud = baud
	l.scan.Reset()
	return nil
}

// send writes one packet. Commands are short enough for the kernel's buffer, so this does not block.
func (l *line) send(packet []byte) error {
	for len(packet) > 0 {
		n, err := l.port.Write(packet)
		if err != nil {
			return l.lost(err)
		}
		packet = packet[n:]
	}
	return nil
}

// read waits at most the given time for bytes, hands them to the scanner and returns how many there were. Running out
// of time is not an error: the serial library reports it as no bytes.
func (l *line) read(wait time.Duration) (int, error) {
	if err := l.port.SetReadTimeout(max(wait, 0)); err != nil {
		return 0, l.lost(err)
	}
	n, err := l.port.Read(l.buf)
	if err != nil {
		return 0, l.lost(err)
	}
	l.scan.Write(l.buf[:n])
	clear(l.buf[:n])
	return n, nil
}

// next returns the next good packet. It gives up with ErrLine at the deadline, or when nothing at all arrives for the
// time given as quiet; but never without a last look, lest a busy machine take its own lateness for the module's.
func (l *line) next(ctx context.Context, deadline time.Time, quiet time.Duration) (Packet, error) {
	heard, last := time.Now(), false
	for {
		if p, ok := l.scan.Next(); ok {
			return p, nil
		}
		if err := ctx.Err(); err != nil {
			return Packet{}, err
		}
		if last {
			return Packet{}, ErrLine
		}
		now := time.Now()
		left := min(deadline.Sub(now), heard.Add(quiet).Sub(now))
		last = left <= 0
		n, err := l.read(max(slice/2, min(left, slice)))
		if err != nil {
			return Packet{}, err
		}
		if n > 0 {
			heard, last = time.Now(), last && now.After(deadline)
		}
	}
}

// drain throws away what arrives until nothing does for the time given as quiet, at most until the deadline. It
// reports whether the module announced a restart meanwhile.
func (l *line) drain(ctx context.Context, quiet time.Duration, deadline time.Time) (wokeUp bool, err error) {
	defer l.scan.Reset()
	heard := time.Now()
	for {
		n, err := l.read(min(quiet, slice))
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return wokeUp, err
		}
		for _, ok := l.scan.Next(); ok; _, ok = l.scan.Next() {
		}
		now := time.Now()
		if n > 0 {
			heard = now
		}
		if (n == 0 && now.Sub(heard) >= quiet) || now.After(deadline) {
			return l.scan.WokeUp(), nil
		}
	}
}

// lost says that the port itself failed: with a UART on a USB adapter, it was pulled.
func (l *line) lost(err error) error {
	return fmt.Errorf("%w: %s stopped working (%v): plug the sensor in again and check its cable", ErrUnplugged, l.path, err)
}

func (l *line) close() error {
	locked.Free(l.scan.buf)
	locked.Free(l.buf)
	err := l.port.Close()
	return errors.Join(err, l.lock.Close())
}
