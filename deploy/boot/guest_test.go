package boot_test

import (
	"bytes"
	"errors"
	"fmt"
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

	"github.com/tillprint/tillprint/device/zfm/zfmsim"
	"github.com/tillprint/tillprint/matcher/synth"
)

// guest is a terminal in QEMU. Its card is a file that outlives power cuts.
type guest struct {
	t       *testing.T
	dir     string // of the card and of what QEMU writes
	bin     string // folder of our programs
	images  string // folder of the image
	board   board
	sim     *zfmsim.Sim
	finger  *synth.Master
	presses int    // of that finger so far
	sensor  string // port of the simulated sensor, outside the guest
	stick   string // a USB stick that is in the terminal; "" for none
	page    string // address on this machine of the operator's page on the school's network
	open    string // of its page for a browser of its own, which a test may have opened to everybody
	browser *http.Client
	qemu    *exec.Cmd
	ended   chan struct{} // closed when this run of QEMU is over
	on      time.Time     // when the power came
	began   int           // length of the console's text then
}

// firmware does what the Pi's does, which QEMU cannot run: it reads autoboot.txt, with [tryboot] if once is set, and takes
// kernel, initial file system, device tree and command line from the boot partition that it names.
func (g *guest) firmware(once bool) (commandLine string) {
	g.t.Helper()
	card, err := os.Open(filepath.Join(g.dir, "card"))
	must(g.t, err)
	defer card.Close()
	text, err := g.partition(card, 1).ReadFile("autoboot.txt")
	must(g.t, err)
	slot := g.partition(card, chosen(g.t, string(text), once))
	for _, name := range []string{"vmlinuz", "initrd.img", tree} {
		b, err := slot.ReadFile(name)
		must(g.t, err)
		must(g.t, os.WriteFile(filepath.Join(g.dir, name), b, 0o600))
	}
	// The image leaves the second UART alone; here the guest's console is on it. It must not claim the pins, which are the sensor's.
	const second = "/soc/serial@7e215040"
	run(g.t, g.dir, "fdtput", "-t", "s", tree, second, "status", "okay")
	run(g.t, g.dir, "fdtput", "-d", tree, second, "pinctrl-0", "pinctrl-names")
	b, err := slot.ReadFile("cmdline.txt")
	must(g.t, err)
	return strings.TrimSpace(string(b))
}

// board is a machine that QEMU plays.
type board struct {
	card  string   // interface of the card
	args  []string // what it is made of
	words string   // for the kernel
}

// pi3 is a Raspberry Pi 3: the image's own device tree and drivers. QEMU moves every word of its card by hand, so that it is
// slow. Its watchdog restarts the machine as soon as it is armed; the guest must not find it.
var pi3 = board{"sd", []string{"-M", "raspi3b", "-dtb", tree, "-serial", "chardev:console", "-usb", "-device", "usb-net,netdev=net,mac=40:54:00:12:34:57",
	"-trace", "bcm2835_mbox_property", "-D", "mailbox"}, "console=ttyS1,115200 module_blacklist=bcm2835_wdt"}

// plain is a machine of virtual devices, with the same kind of serial line for the sensor: several times as fast.
var plain = board{"none", []string{"-M", "virt", "-cpu", "cortex-a72", "-smp", "2", "-m", "1024", "-device", "virtio-blk-pci,drive=card",
	"-device", "virtio-serial-pci", "-device", "virtconsole,chardev=console", "-device", "virtio-net-pci,netdev=net,romfile=", "-device", "qemu-xhci"}, "console=hvc0"}

// tree is the device tree of the board that QEMU plays.
const tree = "bcm2837-rpi-3-b.dtb"

// partition is one of the card's FAT file systems, to be read.
func (g *guest) partition(card *os.File, number int) *fat32.FileSystem {
	g.t.Helper()
	table, err := mbr.Read(card, 512, 512)
	must(g.t, err)
	p := table.Partitions[number-1]
	fs, err := fat32.Read(file.New(card, true), p.GetSize(), p.GetStart(), 512)
	must(g.t, err)
	return fs
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

// power switches the terminal on; more goes onto the kernel's command line.
func (g *guest) power(once bool, more ...string) {
	g.t.Helper()
	g.page, g.open = "127.0.0.1:"+port(g.t), "127.0.0.1:"+port(g.t)
	g.browser.CloseIdleConnections() // of the start before
	args := append([]string{"-kernel", "vmlinuz", "-initrd", "initrd.img",
		// What the guest has written is in this file when QEMU is killed; what a flush adds matters to this machine's own power only.
		"-drive", "file=card,if=" + g.board.card + ",id=card,format=raw,cache=unsafe",
		"-chardev", "serial,id=sensor,path=" + g.sensor, "-serial", "chardev:sensor", "-chardev", "file,id=console,path=console,append=on",
		"-netdev", "user,id=net,hostfwd=tcp:" + g.page + "-:8443,hostfwd=tcp:" + g.open + "-:8080", "-qmp", "unix:control,server=on,wait=off",
		"-display", "none", "-monitor", "none", "-no-reboot"}, g.board.args...)
	words := append([]string{g.firmware(once), g.board.words, "systemd.journald.forward_to_console=1"}, more...)
	args = append(args, "-append", strings.Join(words, " "))
	if g.stick != "" {
		args = append(args, "-drive", "file="+g.stick+",if=none,id=stick,format=raw,readonly=on", "-device", "usb-storage,drive=stick")
	}
	g.qemu = exec.Command("qemu-system-aarch64", args...)
	g.qemu.Dir, g.qemu.Stderr = g.dir, os.Stderr
	g.qemu.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // no guest outlives the test
	g.on, g.began, g.ended = time.Now(), len(g.console()), make(chan struct{})
	// A socket that QEMU has left behind would be taken for the new one's.
	if err := os.Remove(filepath.Join(g.dir, "control")); !errors.Is(err, os.ErrNotExist) {
		must(g.t, err)
	}
	must(g.t, g.qemu.Start())
	go func(done chan struct{}) { _ = g.qemu.Wait(); close(done) }(g.ended)
	g.soon("QEMU's control socket", func() bool { _, err := os.Stat(filepath.Join(g.dir, "control")); return err == nil || g.off() })
}

// cut takes the power away, where the guest has not restarted by itself, at which QEMU ends.
func (g *guest) cut() {
	g.t.Helper()
	if err := g.qemu.Process.Kill(); !errors.Is(err, os.ErrProcessDone) {
		must(g.t, err)
	}
	<-g.ended
}

// said reports whether the guest's console has shown this text since the power came.
func (g *guest) said(text string) bool { return bytes.Contains(g.console()[g.began:], []byte(text)) }

func (g *guest) console() []byte {
	b, err := os.ReadFile(filepath.Join(g.dir, "console"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	must(g.t, err)
	return b
}

// patience is for how long an emulated step may take on a machine that does other work as well.
const patience = 20 * time.Minute

func (g *guest) until(what string, holds func() bool) {
	g.t.Helper()
	for began := time.Now(); !holds(); {
		select {
		case <-g.ended:
			if holds() {
				return
			}
			g.t.Fatalf("the guest is off before %s", what)
		case <-time.After(time.Second): // another machine's progress: there is nothing to wait on but time
		}
		if time.Since(began) > patience {
			g.t.Fatalf("no sign of %s after %v", what, patience)
		}
	}
}

func tail(b []byte) []byte { return b[max(0, len(b)-6000):] }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
