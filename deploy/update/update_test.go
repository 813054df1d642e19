package update

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/filesystem/fat32"
	"golang.org/x/mod/sumdb/note"

	"github.com/tillprint/tillprint/deploy/flash"
	"github.com/tillprint/tillprint/deploy/release"
)

const bootSize = 34 << 20 // the smallest FAT32, about

// bench is a card of files, and a signed bundle beside it.
type bench struct {
	Card
	dir    string // the bundle's
	key    note.Verifier
	signer note.Signer
}

func newBench(t *testing.T, sequence uint64, downgrade bool) *bench {
	t.Helper()
	parts, b := t.TempDir(), &bench{dir: t.TempDir()}
	b.Card = Card{Partition: func(n int) string { return filepath.Join(parts, fmt.Sprint(n)) },
		Autoboot: filepath.Join(parts, "autoboot.txt"), Running: A, Sequence: 10}
	for _, n := range []int{2, 3} {
		must(t, os.WriteFile(b.Partition(n), bytes.Repeat([]byte{byte(n)}, 100), 0o600))
		must(t, os.Truncate(b.Partition(n), bootSize))
	}
	for _, n := range []int{5, 6} {
		must(t, os.WriteFile(b.Partition(n), bytes.Repeat([]byte{byte(n)}, 1<<20), 0o600))
	}
	must(t, os.WriteFile(b.Autoboot, A.autoboot(), 0o600))
	secret, public, err := note.GenerateKey(rand.Reader, "tillprint-release")
	must(t, err)
	b.signer, err = note.NewSigner(secret)
	must(t, err)
	b.key, err = note.NewVerifier(public)
	must(t, err)
	b.bundle(t, sequence, downgrade)
	return b
}

func (b *bench) bundle(t *testing.T, sequence uint64, downgrade bool) {
	t.Helper()
	r := release.Release{Kind: release.Bundle, Version: fmt.Sprintf("v%d", sequence), Sequence: sequence, Downgrade: downgrade}
	root := bytes.NewReader(bytes.Repeat([]byte("root"), 100_000))
	for name, from := range map[string]io.Reader{release.RootFile: root, release.BootFile: bootImage(t)} {
		f, err := release.Pack(filepath.Join(b.dir, name), name, from)
		must(t, err)
		r.Files = append(r.Files, f)
	}
	statement, err := r.Sign(b.signer)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(b.dir, Statement), statement, 0o600))
}

func bootImage(t *testing.T) io.Reader {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "boot"))
	must(t, err)
	t.Cleanup(func() { f.Close() })
	must(t, f.Truncate(bootSize))
	fs, err := fat32.Create(file.New(f, false), bootSize, 0, 512, "TILLPRINT", true)
	must(t, err)
	for _, s := range []Slot{A, B} {
		to, err := fs.OpenFile("/cmdline-"+string(s)+".txt", os.O_CREATE|os.O_RDWR)
		must(t, err)
		fmt.Fprintf(to, "tillprint.disk=54494c4c tillprint.slot=%s ro\n", string(s))
		must(t, to.Close())
	}
	_, err = f.Seek(0, io.SeekStart)
	must(t, err)
	return f
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bench) install(t *testing.T) error {
	t.Helper()
	r, err := b.Open(b.dir, b.key)
	if err != nil {
		return err
	}
	return b.Install(t.Context(), b.dir, r, func(int) {})
}

// untouched fails if anything of the running slot, or the choice of it, differs from what newBench has made.
func (b *bench) untouched(t *testing.T) {
	t.Helper()
	for _, n := range []int{2, 5} {
		got, err := os.ReadFile(b.Partition(n))
		must(t, err)
		if !bytes.Equal(got[:100], bytes.Repeat([]byte{byte(n)}, 100)) {
			t.Errorf("partition %d of the running slot was written", n)
		}
	}
	if s, err := Committed(b.Autoboot); err != nil || s != A {
		t.Errorf("slot %v is committed, %v", s, err)
	}
}

func TestInstall(t *testing.T) {
	b := newBench(t, 11, false)
	for range 2 { // again, as after a power cut
		must(t, b.install(t))
	}
	b.untouched(t)
	root, err := os.ReadFile(b.Partition(6))
	must(t, err)
	if !bytes.HasPrefix(root, bytes.Repeat([]byte("root"), 100_000)) {
		t.Error("the root is not there")
	}
	boot, err := os.Open(b.Partition(3))
	must(t, err)
	defer boot.Close()
	fs, err := fat32.Read(file.New(boot, true), bootSize, 0, 512)
	must(t, err)
	text, err := fs.ReadFile("cmdline.txt")
	must(t, err)
	if s, err := Running(string(text)); err != nil || s != B {
		t.Errorf("slot B would start with %q", text)
	}
}

// TestTryable tries slots that are empty, whole, cut off while they were written, and older than what runs.
func TestTryable(t *testing.T) {
	b := newBench(t, 11, false)
	if err := b.tries(); !errors.Is(err, ErrEmpty) {
		t.Errorf("an empty slot: %v", err)
	}
	must(t, b.install(t))
	if r, err := b.Tryable(b.key); err != nil || r.Sequence != 11 {
		t.Errorf("it holds %+v, %v", r, err)
	}

	// A newer version is cut off in its root, of which nothing shows in the boot partition.
	b.bundle(t, 12, false)
	r, err := b.Open(b.dir, b.key)
	must(t, err)
	cut, stop := context.WithCancel(t.Context())
	if err := b.Install(cut, b.dir, r, func(int) { stop() }); !errors.Is(err, context.Canceled) {
		t.Fatalf("the installation went on: %v", err)
	}
	if err := b.tries(); !errors.Is(err, ErrEmpty) {
		t.Errorf("a slot of which half was written: %v", err)
	}
	must(t, b.install(t))
	b.Running = B
	if err := b.tries(); !errors.Is(err, ErrTrial) {
		t.Errorf("while on trial: %v", err)
	}
	b.Running = A
	for _, c := range []struct {
		running uint64
		want    error
	}{{13, ErrOlder}, {12, ErrSame}, {11, nil}} {
		b.Sequence = c.running
		if err := b.tries(); !errors.Is(err, c.want) {
			t.Errorf("version 12 while %d runs: %v", c.running, err)
		}
	}
	key := b.key
	b.key = newBench(t, 1, false).key
	if err := b.tries(); !errors.Is(err, release.ErrUnsigned) {
		t.Errorf("with a statement of somebody else's: %v", err)
	}
	b.key, b.Sequence = key, 10
	b.bundle(t, 9, true)
	must(t, b.install(t))
	must(t, b.tries())
}

// A slot as it was flashed is whole, and says nothing of its version.
func TestASlotThatWasNotInstalledIsNotTried(t *testing.T) {
	b := newBench(t, 11, false)
	must(t, b.install(t))
	device, err := os.OpenFile(b.Partition(3), os.O_RDWR, 0)
	must(t, err)
	defer device.Close()
	boot, err := fat32.Read(file.New(device, false), bootSize, 0, 512)
	must(t, err)
	must(t, boot.Remove("/"+Statement))
	if err := b.tries(); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
}

func (b *bench) tries() error {
	_, err := b.Tryable(b.key)
	return err
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct {
		name      string
		sequence  uint64
		downgrade bool
		spoil     func(t *testing.T, b *bench)
		want      error
	}{
		{"a newer version", 11, false, nil, nil},
		{"an older one", 9, false, nil, ErrOlder},
		{"an older one that is signed to go back to", 9, true, nil, nil},
		{"the one that runs", 10, false, nil, ErrSame},
		{"while on trial itself", 11, false, func(t *testing.T, b *bench) { b.Running = B }, ErrTrial},
		{"signed by somebody else", 11, false, func(t *testing.T, b *bench) { b.key = newBench(t, 1, false).key }, release.ErrUnsigned},
		{"an altered statement", 9, false, func(t *testing.T, b *bench) {
			b.edit(t, Statement, func(s []byte) []byte { return bytes.Replace(s, []byte(`"sequence": 9`), []byte(`"sequence": 11`), 1) })
		}, release.ErrUnsigned},
		{"a root cut short", 11, false, func(t *testing.T, b *bench) {
			b.edit(t, release.RootFile, func(s []byte) []byte { return s[:len(s)-1] })
		}, release.ErrCutShort},
		{"an altered boot", 11, false, func(t *testing.T, b *bench) {
			b.edit(t, release.BootFile, func(s []byte) []byte { s[len(s)/2] ^= 1; return s })
		}, release.ErrAltered},
		{"a root larger than the slot", 11, false, func(t *testing.T, b *bench) { must(t, os.Truncate(b.Partition(6), 1000)) }, flash.ErrTooSmall},
		{"autoboot.txt of somebody else", 11, false, func(t *testing.T, b *bench) {
			must(t, os.WriteFile(b.Autoboot, []byte("[all]\nboot_partition=2\n"), 0o600))
		}, ErrAutoboot},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, c.sequence, c.downgrade)
			if c.spoil != nil {
				c.spoil(t, b)
			}
			if err := b.install(t); !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if c.want != ErrAutoboot {
				b.untouched(t)
			}
			root, err := os.ReadFile(b.Partition(6))
			must(t, err)
			if taken := bytes.HasPrefix(root, []byte("root")); taken != (c.want == nil) {
				t.Errorf("slot B written: %v", taken)
			}
		})
	}
}

func (b *bench) edit(t *testing.T, name string, change func([]byte) []byte) {
	t.Helper()
	path := filepath.Join(b.dir, name)
	text, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, change(text), 0o600))
}

// A commit is one sector, of which a card keeps the old or the new: both texts have one length, and differ nowhere else.
func TestCommit(t *testing.T) {
	b := newBench(t, 11, false)
	if len(A.autoboot()) != len(B.autoboot()) || len(A.autoboot()) > 512 {
		t.Fatalf("%d and %d bytes do not fit a sector in place", len(A.autoboot()), len(B.autoboot()))
	}
	for _, s := range []Slot{B, A, A} {
		must(t, Commit(b.Autoboot, s))
		if got, err := Committed(b.Autoboot); err != nil || got != s {
			t.Fatalf("got %v, %v", got, err)
		}
	}
	image, err := os.ReadFile("../image/boot/autoboot.txt")
	must(t, err)
	if !bytes.Equal(image, A.autoboot()) {
		t.Error("the image's autoboot.txt is another than this package writes")
	}
}

func TestThis(t *testing.T) {
	const good = "tillprint.disk=54494c4c tillprint.slot=b ro"
	c, err := This(good, "NAME=x\nTILLPRINT_SEQUENCE=1795330000\n", "/start")
	must(t, err)
	if c.Running != B || c.Sequence != 1795330000 || c.Partition(5) != "/dev/tillprint/5" || c.Autoboot != "/start/autoboot.txt" {
		t.Errorf("got %+v", c)
	}
	for _, bad := range []string{"", "root=/dev/sda1 ro", "tillprint.disk=54494c4c tillprint.slot=c", "tillprint.slot="} {
		if _, err := This(bad, "TILLPRINT_SEQUENCE=1", "/start"); err == nil || !strings.Contains(err.Error(), "not started from a card") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, bad := range []string{"", "TILLPRINT_SEQUENCE=\n", "TILLPRINT_SEQUENCE=-1"} {
		if _, err := This(good, bad, "/start"); err == nil {
			t.Errorf("%q: accepted", bad)
		}
	}
}
