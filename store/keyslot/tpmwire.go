package keyslot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/go-tpm/tpm2"
	"golang.org/x/sys/unix"
)

// tpmWire carries commands to a TPM and gives up at its deadline, whatever the chip does. The transports that come
// with go-tpm wait for an answer without an end.
type tpmWire struct {
	fd       int
	name     string // the device, for errors
	deadline time.Time
}

// Sizes of TPM 2.0 messages (TCG TPM 2.0 Library, Part 1, section 18): a header of tag, length and code.
const (
	tpmHeader  = 10
	tpmMessage = 4096 // the most a Linux TPM device takes or gives
)

// dialTPM opens a character device such as /dev/tpmrm0, or the Unix socket of an emulator.
func dialTPM(path string, timeout time.Duration) (*tpmWire, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("looking for the TPM: %w: is the module fitted, and its overlay in the boot configuration?", err)
	}
	w := &tpmWire{name: path, deadline: time.Now().Add(timeout)}
	switch {
	case info.Mode()&os.ModeSocket != 0:
		if w.fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0); err != nil {
			break
		}
		if err = unix.Connect(w.fd, &unix.SockaddrUnix{Name: path}); err != nil {
			unix.Close(w.fd)
		}
	case info.Mode()&os.ModeCharDevice != 0:
		w.fd, err = unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	default:
		return nil, fmt.Errorf("%s is neither a TPM device nor a socket: correct keyslot.tpm.device", path)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the TPM %s: %w: may this user use it, and is no other program holding it?", path, err)
	}
	return w, nil
}

func (w *tpmWire) close() { unix.Close(w.fd) }

// Send passes one command on and returns the answer. Codes by which the chip asks for patience are obeyed until the deadline.
func (w *tpmWire) Send(command []byte) ([]byte, error) {
	var busy []byte
	for pause := 5 * time.Millisecond; ; pause *= 2 {
		answer, err := w.exchange(command)
		if busy != nil && errors.Is(err, os.ErrDeadlineExceeded) {
			return busy, nil // its own last word says more
		}
		if err != nil {
			return nil, err
		}
		if !asksForPatience(answer) || time.Until(w.deadline) < pause {
			return answer, nil
		}
		busy = answer
		time.Sleep(pause)
	}
}

// asksForPatience: none of these commands has been carried out, so each may be sent again (TPM 2.0 Part 2, 6.6.3).
func asksForPatience(answer []byte) bool {
	switch tpm2.TPMRC(binary.BigEndian.Uint32(answer[6:])) {
	case tpm2.TPMRCRetry, tpm2.TPMRCTesting, tpm2.TPMRCNVRate, tpm2.TPMRCYielded:
		return true
	}
	return false
}

func (w *tpmWire) exchange(command []byte) ([]byte, error) {
	for rest := command; len(rest) > 0; {
		n, err := w.once(unix.POLLOUT, func() (int, error) { return unix.Write(w.fd, rest) })
		if err != nil {
			return nil, err
		}
		rest = rest[n:]
	}
	// The device gives the whole answer to one read; a socket may give it in pieces.
	answer := make([]byte, tpmMessage)
	for have, want := 0, tpmHeader; ; {
		n, err := w.once(unix.POLLIN, func() (int, error) { return unix.Read(w.fd, answer[have:]) })
		if err != nil {
			return nil, err
		}
		have += n
		if have >= tpmHeader {
			want = int(binary.BigEndian.Uint32(answer[2:]))
		}
		switch {
		case n == 0:
			return nil, fmt.Errorf("the TPM %s hung up in the middle of an answer", w.name)
		case want < tpmHeader || want > len(answer) || have > want:
			return nil, fmt.Errorf("%s does not answer as a TPM does: correct keyslot.tpm.device", w.name)
		case have == want:
			return answer[:want], nil
		}
	}
}

// once waits until the chip is ready for f, but not beyond the deadline.
func (w *tpmWire) once(event int16, f func() (int, error)) (int, error) {
	for {
		left := time.Until(w.deadline)
		if left <= 0 {
			return 0, fmt.Errorf("the TPM %s does not answer (%w): switch the terminal off and on; if it stays so, replace the module", w.name, os.ErrDeadlineExceeded)
		}
		// Rounded up, so that the last millisecond is not spun away.
		ready, err := unix.Poll([]unix.PollFd{{Fd: int32(w.fd), Events: event}}, int(left/time.Millisecond)+1)
		if errors.Is(err, unix.EINTR) || err == nil && ready == 0 {
			continue
		}
		n, ioErr := 0, err
		if err == nil {
			n, ioErr = f()
		}
		switch {
		case errors.Is(ioErr, unix.EAGAIN) || errors.Is(ioErr, unix.EINTR):
			continue
		case ioErr != nil:
			return 0, fmt.Errorf("speaking to the TPM %s: %w", w.name, ioErr)
		}
		return n, nil
	}
}
