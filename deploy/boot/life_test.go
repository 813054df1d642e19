package boot_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tillprint/tillprint/sync/register"
)

// live is what may befall a terminal after its first start.
func live(t *testing.T, g *guest, s *school) {
	play(t, g, s, []part{{"lunch", lunch}, {"wipe", cutInWipe}, {"staged", stagedInVain}, {"cut", cutInUpdate}, {"update", update}, {"flag", flag}, {"broken", brokenRoot}, {"silent", silentVersion}, {"commit", commit}, {"older", older}})
}

// part is something that befalls a terminal.
type part struct {
	name string
	play func(*guest, *school)
}

// play plays one part after the other, each as a test of its own, until one fails.
func play(t *testing.T, g *guest, s *school, parts []part) {
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) {
			g.t, s.t = t, t
			p.play(g, s)
		})
		g.t, s.t = t, t
		if t.Failed() {
			return
		}
	}
}

// step says what is being played: a run takes most of an hour.
func (g *guest) step(what string) {
	fmt.Printf("%v after power: %s\n", time.Since(g.on).Round(time.Second), what)
}

// lunch enrols a pupil and recognises her.
func lunch(g *guest, s *school) {
	g.enrol(s.pupil)
	g.step("a finger is enrolled")
	for tries := 1; !g.recognised(); tries++ {
		if tries == 3 {
			g.t.Fatal("three presses do not find the pupil")
		}
	}
	g.step("the pupil is recognised and served")
	g.until("the hub hearing of three templates", func() bool { return s.status(g.on).Templates == 3 })
}

// cutInWipe withdraws the consent and takes the power while the card takes the wipe's writes, a sector at a time.
func cutInWipe(g *guest, s *school) {
	g.slow(20)
	before := g.written()
	s.withdraw()
	g.until("the wipe's first sectors", func() bool { return g.written() >= before+12 })
	g.cut()
	if s.receipt() {
		g.t.Fatal("the wipe was over before the power was cut: nothing is shown")
	}
	fmt.Println("the power was cut in the middle of the wipe")

	g.power(false)
	told("after a cut in a wipe, power to serving PINs", g.servesPINs())
	told("after a cut in a wipe, power to serving fingers", g.servesFingers())
	g.until("the receipt at the hub", s.receipt)
	g.until("the hub hearing that nothing is held", func() bool { x := s.status(g.on); return x.Version != "" && x.Templates == 0 })
	if g.recognised() {
		g.t.Fatal("the finger still finds its pupil")
	}
	g.step("wiped: the receipt verifies, the finger finds nobody")
}

// bundleStick makes a USB stick with an update on it, as a technician would.
func (g *guest) bundleStick(folder string) string {
	g.t.Helper()
	stick := filepath.Join(g.dir, "stick-"+filepath.Base(filepath.Dir(folder)))
	must(g.t, os.WriteFile(stick, nil, 0o600))
	must(g.t, os.Truncate(stick, 256<<20))
	run(g.t, g.dir, "mkfs.vfat", "-n", "TILLPRINTUP", stick)
	for _, name := range []string{"bundle.release", "boot.img.zst", "root.img.zst"} {
		run(g.t, g.dir, "mcopy", "-i", stick, filepath.Join(folder, name), "::")
	}
	return stick
}

// Where slot B's root and the data lie on the card, as ../image/assemble and the first start lay them out.
const (
	mib   = 1 << 20
	rootB = (4 + 64 + 2*96 + 1 + 512 + 1) * mib
	data  = rootB + (512+1)*mib
)

// at reads from the card as it is at this moment.
func (g *guest) at(offset int64, n int) []byte {
	g.t.Helper()
	card, err := os.Open(filepath.Join(g.dir, "card"))
	must(g.t, err)
	defer card.Close()
	b := make([]byte, n)
	_, err = card.ReadAt(b, offset)
	must(g.t, err)
	return b
}

// put writes onto the card of a guest that is off.
func (g *guest) put(offset int64, b []byte) {
	g.t.Helper()
	card, err := os.OpenFile(filepath.Join(g.dir, "card"), os.O_WRONLY, 0)
	must(g.t, err)
	_, err = card.WriteAt(b, offset)
	must(g.t, err)
	must(g.t, card.Close())
}

// committed is the boot partition that the next plain start takes.
func (g *guest) committed() int {
	g.t.Helper()
	card, err := os.Open(filepath.Join(g.dir, "card"))
	must(g.t, err)
	defer card.Close()
	text, err := g.partition(card, 1).ReadFile("autoboot.txt")
	must(g.t, err)
	return chosen(g.t, string(text), false)
}

// cutInUpdate takes the power while slot B's root is written, and starts again.
func cutInUpdate(g *guest, _ *school) {
	g.cut()
	g.stick = g.bundleStick(filepath.Join(g.images, "next", "bundle"))
	g.power(false)
	empty := make([]byte, 4096)
	g.until("the update being written", func() bool { return !bytes.Equal(g.at(rootB+16*mib, 4096), empty) })
	g.cut()
	fmt.Println("the power was cut in the middle of an update")
}

// update installs the whole update, after which this machine, which has no such firmware, refuses to try it.
func update(g *guest, _ *school) {
	g.power(false)
	told("after a cut in an update, power to serving PINs", g.servesPINs())
	g.until("the update being installed", func() bool { return g.said("is in slot B; slot A stays committed") })
	g.step("the update is installed")
	g.until("the refusal of a machine without the firmware", func() bool { return g.said("this machine cannot start a version on trial") })
	g.cut()
	g.stick = ""
}

// flag puts the card into a Raspberry Pi 3, where a start on trial is asked for as on a board: through the firmware's mailbox.
func flag(g *guest, _ *school) {
	g.board = pi3
	defer func() { g.board = plain }()
	g.power(false, `systemd.run="/usr/bin/tillprintd update try"`, "systemd.run_success_action=none", "systemd.run_failure_action=none")
	g.restarts("0 tryboot")
	g.cut()
	mailbox, err := os.ReadFile(filepath.Join(g.dir, "mailbox"))
	must(g.t, err)
	if !bytes.Contains(mailbox, []byte("tag:0x00038064 in_sz:4")) {
		g.t.Fatalf("the firmware was not asked for a start on trial: the mailbox saw\n%s", tail(mailbox))
	}
	g.step("the firmware's mailbox was asked for a start on trial")
}

// brokenRoot tries slot B with a root that cannot be mounted.
func brokenRoot(g *guest, _ *school) {
	good := g.at(rootB, 4096)
	g.put(rootB, make([]byte, 4096))
	g.power(true)
	g.until("the giving up of a broken root", func() bool { return g.said("no root on a card") })
	g.until("a restart", g.off)
	g.put(rootB, good)
	g.fellBack("a root that cannot be mounted")
}

// silentVersion tries slot B without its daemon.
func silentVersion(g *guest, _ *school) {
	g.power(true, "systemd.mask=tillprintd.service")
	g.until("the end of the trial", g.off)
	if after := time.Since(g.on); after < 10*time.Minute {
		g.t.Errorf("the trial was over after %v", after)
	}
	g.fellBack("a version that does not serve in ten minutes")
}

// commit tries slot B as it was installed.
func commit(g *guest, s *school) {
	g.power(true)
	told("on trial, power to serving PINs", g.servesPINs())
	g.until("the hub hearing of the trial", func() bool { return s.status(g.on).Update.Step == register.UpdateTrial })
	g.until("the new version being committed", func() bool { return g.said("slot B is committed") })
	g.step("the new version served for a minute and is committed")
	g.cut()
	if g.committed() != 3 {
		g.t.Fatal("autoboot.txt does not name slot B")
	}
}

// off reports whether the guest has restarted by itself.
func (g *guest) off() bool {
	select {
	case <-g.ended:
		return true
	default:
		return false
	}
}

// restarts waits until the kernel of a machine with a console of its own restarts with these words. The rest is the firmware's.
func (g *guest) restarts(words string) {
	g.t.Helper()
	text := "Restarting system with command '" + words + "'"
	g.until("the kernel saying: "+text, func() bool { return g.said(text) })
}

// fellBack checks that the next plain start would be the old version's.
func (g *guest) fellBack(from string) {
	g.t.Helper()
	if n := g.committed(); n != 2 {
		g.t.Fatalf("after %s boot partition %d is committed", from, n)
	}
	fmt.Printf("fell back from %s\n", from)
}

// older starts the new version with a stick of the old one in, which it refuses, and serves.
func older(g *guest, s *school) {
	g.stick = g.bundleStick(filepath.Join(g.images, "bundle"))
	g.power(false)
	told("new version, power to serving PINs", g.servesPINs())
	told("new version, power to serving fingers", g.servesFingers())
	g.until("the refusal of an older version", func() bool { return g.said("it is older than what runs here") })
	g.until("a status at the hub", func() bool { return s.status(g.on).Fingers })
}
