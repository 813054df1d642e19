package board

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What Raspberry Pi OS 12 and 11, and somebody who has tried things, have in the files.
const (
	bookworm = `# For more options and information see
# http://rptl.io/configtxt
#dtparam=i2c_arm=on
dtparam=audio=on
camera_auto_detect=1
dtoverlay=vc4-kms-v3d
arm_64bit=1

[cm4]
otg_mode=1

[cm5]
dtoverlay=dwc2,dr_mode=host

[all]
`
	bullseye = "dtparam=audio=on\r\n[pi4]\r\narm_boost=1\r\n[all]\r\nenable_uart=0\r\n"
	tried    = "dtoverlay=miniuart-bt\ndtparam=spi=off\ndtparam=i2c_arm=on\nenable_uart=1" // and no end of line
)

func system(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestSetup(t *testing.T) {
	for _, c := range []struct{ name, boot, config, cmdline, wantCmdline string }{
		{"Pi OS 12", "/boot/firmware", bookworm,
			"console=serial0,115200 console=tty1 root=PARTUUID=9f2c7a31-02 rootfstype=ext4 fsck.repair=yes rootwait cfg80211.ieee80211_regdom=GB\n",
			"console=tty1 root=PARTUUID=9f2c7a31-02 rootfstype=ext4 fsck.repair=yes rootwait cfg80211.ieee80211_regdom=GB\n"},
		{"Pi OS 11", "/boot", bullseye,
			"console=tty1 root=PARTUUID=9f2c7a31-02 rootwait kgdboc=ttyAMA0,115200 console=ttyS0,115200 quiet",
			"console=tty1 root=PARTUUID=9f2c7a31-02 rootwait quiet"},
		{"tried by hand, Pi 5's debug connector", "/boot/firmware", tried,
			"console=ttyAMA10,115200 console=tty1 root=/dev/mmcblk0p2\n", "console=ttyAMA10,115200 console=tty1 root=/dev/mmcblk0p2\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := system(t, map[string]string{c.boot + "/config.txt": c.config, c.boot + "/cmdline.txt": c.cmdline})
			plan, err := Plan(root)
			if err != nil {
				t.Fatal(err)
			}
			if text, _ := os.ReadFile(filepath.Join(root, c.boot, "config.txt")); string(text) != c.config {
				t.Fatal("planning has changed something")
			}
			if err := Apply(root, plan); err != nil {
				t.Fatal(err)
			}
			config := readBack(t, root, c.boot+"/config.txt")
			if !strings.HasSuffix(config, block) || strings.Count(config, blockBegin) != 1 {
				t.Errorf("config.txt does not end with our block:\n%s", config)
			}
			for line := range strings.Lines(strings.TrimSuffix(config, block)) {
				if contrary.MatchString(line) {
					t.Errorf("left in force: %s", line)
				}
			}
			for line := range strings.Lines(c.config) {
				if !strings.Contains(config, strings.TrimRight(line, "\n")) {
					t.Errorf("lost: %s", line)
				}
			}
			if got := readBack(t, root, c.boot+"/cmdline.txt"); got != c.wantCmdline {
				t.Errorf("cmdline.txt is %q", got)
			}
			for _, unit := range masked {
				if to, err := os.Readlink(filepath.Join(root, "/etc/systemd/system", unit)); to != "/dev/null" {
					t.Errorf("%s: %q, %v", unit, to, err)
				}
			}
			if again, err := Plan(root); err != nil || len(again) != 0 {
				t.Errorf("a second run would change %v, %v", again, err)
			}
		})
	}
}

func readBack(t *testing.T, root, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestNoBoard(t *testing.T) {
	if _, err := Plan(t.TempDir()); !errors.Is(err, ErrNoBoard) {
		t.Errorf("got %v", err)
	}
	huge := system(t, map[string]string{"/boot/config.txt": strings.Repeat("#", maxFile+1)})
	if _, err := Plan(huge); err == nil || !strings.Contains(err.Error(), "not what the firmware reads") {
		t.Errorf("got %v", err)
	}
}

func TestSensorPort(t *testing.T) {
	for model, want := range map[string]string{
		"Raspberry Pi 5 Model B Rev 1.0\x00": "/dev/ttyAMA0", "Raspberry Pi 4 Model B Rev 1.4\x00": "/dev/serial0",
		"Raspberry Pi Zero 2 W Rev 1.0\x00": "/dev/serial0", "": "/dev/serial0",
	} {
		if got := SensorPort(system(t, map[string]string{"/proc/device-tree/model": model})); got != want {
			t.Errorf("%q: %s", model, got)
		}
	}
}

// FuzzEdits: whatever stands in the files, a second run changes nothing more, and no console is left on the UART.
func FuzzEdits(f *testing.F) {
	f.Add([]byte(bookworm))
	f.Add([]byte(bullseye))
	f.Add([]byte(blockBegin + "\n[all]\n" + blockBegin + "\n" + block))
	f.Add([]byte("console=serial0 x\nconsole=serial0"))
	f.Fuzz(func(t *testing.T, text []byte) {
		once := editConfig(text)
		if twice := editConfig(once); !bytes.Equal(once, twice) {
			t.Errorf("config.txt:\n%q\nbecame\n%q", once, twice)
		}
		line := editCmdline(text)
		if again := editCmdline(line); !bytes.Equal(line, again) {
			t.Errorf("cmdline.txt: %q became %q", line, again)
		}
	})
}
