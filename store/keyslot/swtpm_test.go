package keyslot_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// startTPM runs a software TPM (swtpm) with fresh state and returns its socket. The socket listens before the program
// runs, so nobody has to wait for it.
func startTPM(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tpm") // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return runTPM(t, dir)
}

// runTPM starts the chip whose memory is in dir: a second call after the first has been stopped is a power cycle.
func runTPM(t testing.TB, dir string) string {
	t.Helper()
	program, err := exec.LookPath("swtpm")
	if err != nil {
		t.Skip("swtpm is not installed (apt install swtpm): the TPM slot is not tested")
	}
	path := filepath.Join(dir, "s")
	os.Remove(path)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	socket, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	chip := exec.Command(program, "socket", "--tpm2", "--tpmstate", "dir="+dir, "--server", "type=unixio,fd=3",
		"--flags", "not-need-init,startup-clear")
	chip.ExtraFiles = []*os.File{socket}
	err = chip.Start()
	socket.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { chip.Process.Kill(); chip.Wait() })
	return path
}
