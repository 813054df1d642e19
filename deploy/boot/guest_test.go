package boot_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/filesystem/fat32"
	"github.com/diskfs/go-diskfs/partition/mbr"
)

// guest is a terminal in QEMU. Its card is a file that outlives power cuts.
type guest struct {
	t      *testing.T
	dir    string
	sensor string // port of the simulated sensor, outside the guest
	page   string // the operator's page, on this machine
	qemu   *exec.Cmd
	ended  chan struct{} // closed when this run of QEMU is over
	on     time.Time     // when the power came
}

// firmware does what the Pi's does, which QEMU cannot run: it reads autoboot.txt, with [tryboot] if once is set, and takes
// kernel, initial file system and command line from the boot partition that it names.
func (g *guest) firmware(once bool) (commandLine string) {
	g.t.Helper()
	card, err := os.Open(filepath.Join(g.dir, "card"))
	must(g.t, err)
	defer card.Close()
	table, err := mbr.Read(card, 512, 512)
	must(g.t, err)
	partition := func(number int) *fat32.FileSystem {
		p := table.Partitions[number-1]
		fs, err := fat32.Read(file.New(card, true), p.GetSize(), p.GetStart(), 512)
		must(g.t, err)
		return fs
	}
	text, err := partition(1).ReadFile("autoboot.txt")
	must(g.t, err)
	slot := partition(chosen(g.t, string(text), once))
	for _, name := range []string{"vmlinuz", "initrd.img"} {
		b, err := slot.ReadFile(name)
		must(g.t, err)
		must(g.t, os.WriteFile(filepath.Join(g.dir, name), b, 0o600))
	}
	b, err := slot.ReadFile("cmdline.txt")
	must(g.t, err)
	return strings.TrimSpace(string(b))
}

// chosen is the boot partition that autoboot.txt names.
func chosen(t *testing.T, text string, once bool) (number int) {
	t.Helper()
	section := "[all]"
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = line
		}
		if value, ok := strings.CutPrefix(line, "boot_partition="); ok && (section == "[all]" || once && section == "[tryboot]") {
			_, err := fmt.Sscan(value, &number)
			must(t, err)
		}
	}
	return number
}

// power switches the terminal on.
func (g *guest) power(once bool) {
	g.t.Helper()
	commandLine := g.firmware(once)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(g.t, err)
	address := l.Addr().String()
	must(g.t, l.Close())
	g.page = "http://" + address
	g.qemu = exec.Command("nice", "-n", "10", "qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72", "-smp", "2", "-m", "1024",
		"-kernel", "vmlinuz", "-initrd", "initrd.img", "-append", commandLine+" console=hvc0 systemd.journald.forward_to_console=1",
		"-drive", "file=card,if=none,id=card,format=raw,cache=writethrough", "-device", "virtio-blk-pci,drive=card",
		"-chardev", "serial,id=sensor,path="+g.sensor, "-serial", "chardev:sensor",
		"-chardev", "file,id=console,path=console,append=on", "-device", "virtio-serial-pci", "-device", "virtconsole,chardev=console",
		"-netdev", "user,id=net,hostfwd=tcp:"+address+"-:8080", "-device", "virtio-net-pci,netdev=net,romfile=",
		"-display", "none", "-monitor", "none", "-no-reboot")
	g.qemu.Dir, g.qemu.Stderr = g.dir, os.Stderr
	g.qemu.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // no guest outlives the test
	g.on, g.ended = time.Now(), make(chan struct{})
	must(g.t, g.qemu.Start())
	go func(done chan struct{}) { _ = g.qemu.Wait(); close(done) }(g.ended)
}

// cut takes the power away.
func (g *guest) cut() {
	g.t.Helper()
	must(g.t, g.qemu.Process.Kill())
	<-g.ended
}

// serving waits until the operator's page is there, and returns how long that took from power.
func (g *guest) serving() time.Duration {
	g.t.Helper()
	g.until("the operator's page", func() bool {
		ctx, stop := context.WithTimeout(g.t.Context(), 5*time.Second)
		defer stop()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, g.page, nil)
		must(g.t, err)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		_, _ = io.Copy(io.Discard, answer.Body)
		return answer.StatusCode == http.StatusOK
	})
	return time.Since(g.on)
}

func (g *guest) console(from int64) []byte {
	b, err := os.ReadFile(filepath.Join(g.dir, "console"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	must(g.t, err)
	return b[min(from, int64(len(b))):]
}

// bootPatience is for how long an emulated start may take on a machine that does other work as well.
const bootPatience = 15 * time.Minute

func (g *guest) until(what string, holds func() bool) {
	g.t.Helper()
	for !holds() {
		select {
		case <-g.ended:
			g.t.Fatalf("the guest is off before %s; its console ends with\n%s", what, tail(g.console(0)))
		case <-time.After(time.Second): // another process's progress: there is nothing to wait on but time
		}
		if time.Since(g.on) > bootPatience {
			g.t.Fatalf("no sign of %s after %v; the console ends with\n%s", what, bootPatience, tail(g.console(0)))
		}
	}
}

func tail(b []byte) []byte { return b[max(0, len(b)-4000):] }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
