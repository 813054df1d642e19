package store_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/crashtest"
)

const roomChild = "TILLPRINT_TEST_ROOM_CHILD" // set in a process that may mount

// onSmallCard runs the calling test again in a process with mounts of its own, where it gets a file system of a few
// MiB in memory. That needs no root where users may have name spaces; it is skipped elsewhere.
func onSmallCard(t *testing.T, f func(t *testing.T, dir string)) {
	if os.Getenv(roomChild) != "" {
		dir := t.TempDir()
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=12m,mode=700"); err != nil {
			t.Fatal(err)
		}
		defer unix.Unmount(dir, unix.MNT_DETACH)
		f(t, dir)
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), roomChild+"=1")
	child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
	said, err := child.CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Skip("skipped: a small file system needs user name spaces, which are not allowed here:", err)
	}
	if err != nil || !bytes.Contains(said, []byte("--- PASS: "+t.Name())) {
		t.Errorf("%v\n%s", err, said)
	}
}

// fill takes all the room that is left on a card.
func fill(t *testing.T, dir, name string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for piece := make([]byte, 64<<10); len(piece) > 0; {
		if _, err := f.Write(piece); err != nil {
			piece = piece[:len(piece)/2]
		}
	}
	_ = f.Sync() // on some file systems it is now that the room is missed
}

// A card that is full keeps what was acknowledged and serves on, also after a restart; a withdrawal still destroys its key, since
// room was set aside for it; what cannot be written says what to do.
func TestI2FullCard(t *testing.T) { onSmallCard(t, fullCard) }

// The same on ext4, where a file's blocks come free later than its name.
func TestI2FullCardOnExt4(t *testing.T) {
	if os.Getenv("TILLPRINT_LONG") == "" || os.Geteuid() != 0 {
		t.Skip("skipped: a file system of its own needs root and TILLPRINT_LONG=1")
	}
	card, err := crashtest.NewImage(t.TempDir(), 24<<20)
	if err != nil {
		t.Skip("skipped: no loop mount here:", err)
	}
	t.Cleanup(func() {
		if err := card.Unmount(); err != nil {
			t.Error(err)
		}
	})
	fullCard(t, card.Dir)
}

func fullCard(t *testing.T, dir string) {
	b := newBenchIn(t, dir)
	ids := b.permit(40, 4)
	fill(t, dir, "other.log")

	last := b.settingsUntilFull(0)
	if got := held(t, b.st); len(got) != 40 {
		t.Errorf("%d subjects are still read", len(got))
	}
	if _, _, ok := b.st.FindPIN(person(3).PINIndex); !ok {
		t.Error("a PIN is lost")
	}
	if r := b.withdraw(ids[0]); len(r) != 1 || b.st.HasFingerKey(ids[0]) {
		t.Error("the key of a withdrawal outlives it")
	}
	if _, err := b.st.Refuse(ids[1], "op-1"); err != nil || b.st.HasFingerKey(ids[1]) {
		t.Errorf("a refusal: %v", err)
	}

	fill(t, dir, "more.log")
	last = b.settingsUntilFull(last)
	seq, _ := b.st.Applied()
	if _, err := b.st.Apply(withdrawals(seq, ids[2:3]), seq+1, nil); err == nil {
		t.Log("there was room for one more")
	} else if !strings.Contains(err.Error(), "the card is full: delete") {
		t.Errorf("a withdrawal without any room: %v", err)
	}
	if err := b.st.Close(); err != nil && !strings.Contains(err.Error(), "the card is full") {
		t.Errorf("closing: %v", err)
	}
	b.st = b.open(dir)
	if w := strings.Join(b.st.Warnings(), " "); !strings.Contains(w, "the card is full: delete") {
		t.Errorf("warnings: %q", w)
	}
	if got := held(t, b.st); len(got) < 37 || got[ids[0]] != nil || got[ids[1]] != nil {
		t.Errorf("%d subjects are read after a restart", len(got))
	}

	for _, name := range []string{"other.log", "more.log"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	b.reopen()
	b.withdraw(ids[3])
	wantSound(t, b.st)
	b.wantSettings(last)
	if len(b.st.Warnings()) != 0 {
		t.Errorf("warnings with room again: %v", b.st.Warnings())
	}
	if got := held(t, b.st); got[ids[3]] != nil {
		t.Error("the withdrawal with room again wiped nothing")
	}
}

// settingsUntilFull keeps one setting after the other until that fails, and returns how many were acknowledged in all.
func (b *bench) settingsUntilFull(n int) int {
	b.t.Helper()
	for ; n < 10_000; n++ {
		err := b.st.SetSetting(settingName(n), bytes.Repeat([]byte{byte(n)}, 3000))
		if err != nil && !strings.Contains(err.Error(), "the card is full: delete") {
			b.t.Errorf("on a full card: %v", err)
		}
		if err != nil {
			return n
		}
	}
	b.t.Fatal("the card is not full")
	return n
}

func settingName(n int) string {
	return "room." + string(rune('a'+n/676)) + string(rune('a'+n/26%26)) + string(rune('a'+n%26))
}

func (b *bench) wantSettings(n int) {
	b.t.Helper()
	for i := range n {
		if v, err := b.st.Setting(settingName(i)); err != nil || !bytes.Equal(v, bytes.Repeat([]byte{byte(i)}, 3000)) {
			b.t.Errorf("setting %d was acknowledged and is lost: %v", i, err)
		}
	}
}

// A card that can only be read: an open store goes on reading and refuses at once who withdraws; one that is started says why
// it does not open, and nothing is changed.
func TestI2ReadOnlyCard(t *testing.T) {
	onSmallCard(t, func(t *testing.T, dir string) {
		b := newBenchIn(t, dir)
		ids := b.permit(3, 2)
		evicted := ""
		b.st.OnWipe(func(id consent.SubjectID) { evicted = string(id) })
		// Another mount above the first: what is opened from here on can only be read.
		err := unix.Mount(dir, dir, "", unix.MS_BIND, "")
		if err == nil {
			err = unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, "")
		}
		if err != nil {
			t.Fatal(err)
		}

		if got := held(t, b.st); len(got) != 3 {
			t.Errorf("%d subjects are read", len(got))
		}
		if _, _, ok := b.st.FindPIN(person(1).PINIndex); !ok {
			t.Error("a PIN is lost")
		}
		seq, _ := b.st.Applied()
		_, err = b.st.Apply(withdrawals(seq, ids[:1]), seq+1, nil)
		if evicted != string(ids[0]) {
			t.Error("nobody was told of a withdrawal")
		}
		if err == nil || !strings.Contains(err.Error(), "the card can only be read") {
			t.Errorf("a withdrawal: %v", err)
		}
		b.st.Close()
		if st, err := openDir(dir, b.options()); err == nil {
			st.Close()
			t.Error("it opens")
		} else if !errors.Is(err, unix.EROFS) || !strings.Contains(err.Error(), "the card can only be read") {
			t.Errorf("opening: %v", err)
		}

		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Fatal(err)
		}
		b.st = b.open(dir)
		wantSound(t, b.st)
		if got := held(t, b.st); b.st.HasFingerKey(ids[0]) || len(got) != 2 {
			t.Errorf("the withdrawal was not finished later: %d subjects", len(got))
		}
	})
}
