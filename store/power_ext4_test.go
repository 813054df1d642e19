package store

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/crashtest"
)

const powerChild = "TILLPRINT_TEST_POWER_CHILD" // folder in which a process shall write until it is cut off

func init() {
	if dir := os.Getenv(powerChild); dir != "" {
		fmt.Fprintln(os.Stderr, writeForEver(dir))
		os.Exit(1)
	}
}

// writeForEver does one numbered write after the other and acknowledges each on standard output. Every fifth is a
// pupil who joins, enrols and withdraws.
func writeForEver(dir string) error {
	c := newCanteen(dir, byte(os.Getpid()))
	if err := c.reopen(); err != nil {
		return err
	}
	for n := powerCount(c.st) + 1; ; n++ {
		if n%5 == 0 {
			if err := c.apply(consent.Permit, c.withPerson, 0); err != nil {
				return err
			}
			if err := c.enrol("", 2, 0); err != nil {
				return err
			}
			if err := c.apply(consent.Erase, nil, 0); err != nil {
				return err
			}
		}
		if err := c.st.SetSetting("count", []byte(strconv.Itoa(n))); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

func powerCount(s *Store) int {
	b, _ := s.Setting("count")
	n, _ := strconv.Atoi(string(b))
	return n
}

// needCard gives a mounted image, or skips.
func needCard(t *testing.T) *crashtest.Image {
	t.Helper()
	if os.Getenv("TILLPRINT_LONG") == "" || os.Geteuid() != 0 {
		t.Skip("skipped: a file system of its own needs root and TILLPRINT_LONG=1")
	}
	card, err := crashtest.NewImage(crashDir(t), 96<<20)
	if err != nil {
		t.Skip("skipped: no loop mount here:", err)
	}
	t.Cleanup(func() {
		if err := card.Unmount(); err != nil {
			t.Error(err)
		}
	})
	return card
}

// The plug is pulled from a real file system while a process writes: what it acknowledged is there.
func TestI2PowerCutsOnExt4(t *testing.T) {
	card := needCard(t)
	c := newCanteen(card.Dir, 1)
	if err := c.create(); err != nil {
		t.Fatal(err)
	}
	if err := c.st.Close(); err != nil {
		t.Fatal(err)
	}
	total := 0
	for i := range 40 {
		acknowledged := cutOff(t, card, exec.Command(os.Args[0]), 1+(i*7)%60)
		total += acknowledged
		if err := afterCut(card, acknowledged); err != nil {
			t.Fatalf("cut %d: %v", i, err)
		}
	}
	t.Logf("40 cuts, last acknowledged numbers add up to %d, none lost", total)

	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("skipped the control: it needs strace")
	}
	acknowledged := cutOff(t, card, exec.Command(strace, "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync",
		"-e", "inject=fsync,fdatasync:retval=0", os.Args[0]), 60)
	if err := afterCut(card, acknowledged); err == nil {
		t.Error("control: without any fsync nothing was lost either")
	} else {
		t.Log("control, without fsyncs:", err)
	}
}

// cutOff starts a writer, cuts after so many acknowledgements, mounts the card anew and returns the last number.
func cutOff(t *testing.T, card *crashtest.Image, cmd *exec.Cmd, acks int) (last int) {
	t.Helper()
	cmd.Env = append(os.Environ(), powerChild+"="+card.Dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if last, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatal(err)
		}
		if acks--; acks == 0 {
			if err := card.Cut(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // it ends with an error, that is what we did to it
	if err := card.Unmount(); err != nil {
		t.Fatal(err)
	}
	if err := card.Mount(); err != nil {
		t.Fatal(err)
	}
	return last
}

func afterCut(card *crashtest.Image, acknowledged int) error {
	c := newCanteen(card.Dir, 2)
	if err := c.reopen(); err != nil {
		return err
	}
	defer c.st.Close()
	if names, _ := filepath.Glob(filepath.Join(c.folder(), "*.aside-*")); len(names) > 0 {
		return fmt.Errorf("set aside: %v", c.st.Warnings())
	}
	if n := powerCount(c.st); n != acknowledged && n != acknowledged+1 {
		return fmt.Errorf("%d was acknowledged, %d is there", acknowledged, n)
	}
	for _, v := range c.st.Check() {
		return fmt.Errorf("%s: %s", v.Invariant, v.Text)
	}
	return nil
}
