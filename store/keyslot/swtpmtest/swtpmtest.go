// Package swtpmtest runs a software TPM (swtpm, from the Debian package of that name) for tests: a real TPM 2.0 but for
// the silicon.
package swtpmtest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Start runs the chip whose memory is in dir until the test ends, and returns its socket. Starting it again with the
// same dir, after the first has ended, is a power cycle. Where swtpm is not installed the test is skipped.
func Start(t testing.TB, dir string) (socket string) {
	t.Helper()
	program, err := exec.LookPath("swtpm")
	if err != nil {
		t.Skip("swtpm is not installed (apt install swtpm): the TPM key slot is not tested")
	}
	short, err := os.MkdirTemp("", "tpm") // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(short) })
	socket = filepath.Join(short, "s")
	// The socket listens before the program runs, so nobody has to wait for it.
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	file, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	chip := exec.Command(program, "socket", "--tpm2", "--tpmstate", "dir="+dir, "--server", "type=unixio,fd=3",
		"--flags", "not-need-init,startup-clear")
	chip.ExtraFiles = []*os.File{file}
	err = chip.Start()
	file.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		chip.Process.Kill()
		chip.Wait()
	})
	return socket
}
