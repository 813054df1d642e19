package flash_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/filesystem/fat32"
	"github.com/diskfs/go-diskfs/partition/mbr"

	"github.com/tillprint/tillprint/deploy/flash"
	"github.com/tillprint/tillprint/deploy/joinfile"
	"github.com/tillprint/tillprint/sync/register"
)

// cardSize is that of a card sold as 4 GB; the files are sparse.
const cardSize = 3_900_000_000

// blank is a card that somebody has used before.
func blank(t testing.TB) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "card"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := f.Truncate(cardSize); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte("old"), 5000), 0); err != nil {
		t.Fatal(err)
	}
	return f
}

func image(b []byte) flash.Image {
	return flash.Image{Size: int64(len(b)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}
}

// noise is an image that nothing but itself is like; it does not end with a chunk.
func noise() []byte {
	b := make([]byte, 9<<20+1234)
	r := rand.NewChaCha8([32]byte{1})
	r.Read(b)
	return b
}

// faulty is a card that goes wrong at a place: the double for what no healthy machine shows.
type faulty struct {
	*os.File
	at    int64
	write error // of a write that reaches the place
	read  error // of a read that reaches it
	rot   bool  // reads give another byte there
	wrap  int64 // unless 0, what lies beyond it overwrites the beginning, as on a forged card
}

func (f *faulty) reaches(b []byte, at int64) bool { return at <= f.at && f.at < at+int64(len(b)) }

func (f *faulty) place(at int64) int64 {
	if f.wrap == 0 {
		return at
	}
	return at % f.wrap
}

func (f *faulty) WriteAt(b []byte, at int64) (int, error) {
	if f.write != nil && f.reaches(b, at) {
		return 0, &os.PathError{Op: "write", Path: "card", Err: f.write}
	}
	return f.File.WriteAt(b, f.place(at))
}

func (f *faulty) ReadAt(b []byte, at int64) (int, error) {
	if f.read != nil && f.reaches(b, at) {
		return 0, &os.PathError{Op: "read", Path: "card", Err: f.read}
	}
	n, err := f.File.ReadAt(b, f.place(at))
	if f.rot && f.reaches(b, at) {
		b[f.at-at] ^= 1
	}
	return n, err
}

func TestWrite(t *testing.T) {
	card, content := blank(t), noise()
	steps := 0
	if err := flash.Write(t.Context(), card, cardSize, image(content), func(n int) { steps += n }); err != nil {
		t.Fatal(err)
	}
	if steps != 2*len(content) {
		t.Errorf("progress came to %d, want %d", steps, 2*len(content))
	}
	got := make([]byte, len(content))
	if _, err := card.ReadAt(got, 0); err != nil || !bytes.Equal(got, content) {
		t.Fatalf("the card holds something else: %v", err)
	}
}

func TestWriteFaults(t *testing.T) {
	const late = 5 << 20
	for _, c := range []struct {
		name string
		card faulty
		want error
	}{
		{"write-protected", faulty{write: syscall.EROFS}, flash.ErrProtected},
		{"write-protected by its own register", faulty{write: syscall.EPERM}, flash.ErrProtected},
		{"pulled while being written", faulty{at: late, write: syscall.ENXIO}, flash.ErrPulled},
		{"pulled while being read back", faulty{at: late, read: syscall.ENODEV}, flash.ErrPulled},
		{"an error while writing", faulty{at: late, write: syscall.EIO}, flash.ErrBroken},
		{"an error while reading back", faulty{at: late, read: syscall.EIO}, flash.ErrBroken},
		{"one bit of it is worn", faulty{at: late, rot: true}, flash.ErrWorn},
		{"the last byte is worn", faulty{at: 9<<20 + 1233, rot: true}, flash.ErrWorn},
	} {
		t.Run(c.name, func(t *testing.T) {
			card := c.card
			card.File = blank(t)
			err := flash.Write(t.Context(), &card, cardSize, image(noise()), func(int) {})
			if !errors.Is(err, c.want) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("got %v, want %v in one line", err, c.want)
			}
		})
	}
}

// A card that was pulled half-way must not look like a good one to the firmware: it has no partition table.
func TestWriteLeavesNoTable(t *testing.T) {
	content := noise()
	copy(content[510:], []byte{0x55, 0xaa})
	card := &faulty{File: blank(t), at: 8 << 20, write: syscall.ENXIO}
	if err := flash.Write(t.Context(), card, cardSize, image(content), func(int) {}); !errors.Is(err, flash.ErrPulled) {
		t.Fatalf("got %v", err)
	}
	first := make([]byte, 512)
	if _, err := card.File.ReadAt(first, 0); err != nil || !bytes.Equal(first, make([]byte, 512)) {
		t.Fatalf("there is a first sector: %x, %v", first[500:], err)
	}
}

func TestWriteTooSmall(t *testing.T) {
	card := blank(t)
	err := flash.Write(t.Context(), card, 2_000_000_000, image(noise()), func(int) {})
	if !errors.Is(err, flash.ErrTooSmall) || !strings.Contains(err.Error(), "2.0 GB") {
		t.Fatalf("got %v", err)
	}
	b := make([]byte, 3)
	if card.ReadAt(b, 0); string(b) != "old" {
		t.Fatal("it was written all the same")
	}
}

func TestWriteStops(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	err := flash.Write(ctx, blank(t), cardSize, image(noise()), func(int) { stop() })
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

func TestProbe(t *testing.T) {
	if err := flash.Probe(blank(t), cardSize); err != nil {
		t.Fatal(err)
	}
	for _, wrap := range []int64{1 << 30, 3 << 30, 512 << 20} {
		forged := &faulty{File: blank(t), wrap: wrap}
		if err := flash.Probe(forged, cardSize); !errors.Is(err, flash.ErrWorn) {
			t.Errorf("a card of %d bytes sold as one of 4 GB: %v", wrap, err)
		}
	}
}

func TestIdentify(t *testing.T) {
	card := blank(t)
	const start, size = 2048, 80 << 20 / 512
	table := &mbr.Table{LogicalSectorSize: 512, PhysicalSectorSize: 512,
		Partitions: []*mbr.Partition{{Index: 1, Type: mbr.Fat32LBA, Start: start, Size: size}}}
	if err := table.Write(card, cardSize); err != nil {
		t.Fatal(err)
	}
	if _, err := fat32.Create(file.New(card, false), size*512, start*512, 512, "TILLPRINT", true); err != nil {
		t.Fatal(err)
	}
	token, err := register.NewToken(rand.NewChaCha8([32]byte{2}))
	if err != nil {
		t.Fatal(err)
	}
	f := joinfile.File{Code: register.JoinCode{Site: "oakfield", Name: "till-1", Hubs: []string{"https://hub:8443"}, Token: token}.String()}
	for range 2 { // a second time, as with a new code, replaces it
		if err := flash.Identify(card, f); err != nil {
			t.Fatal(err)
		}
	}
	fs, err := fat32.Read(file.New(card, true), size*512, start*512, 512)
	if err != nil {
		t.Fatal(err)
	}
	text, err := fs.ReadFile(joinfile.Name)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := joinfile.Parse(text); err != nil || got != f {
		t.Fatalf("got %+v, %v", got, err)
	}
}

func TestIdentifyOtherCard(t *testing.T) {
	f := joinfile.File{Code: register.JoinCode{Site: "oakfield", Hubs: []string{"https://hub:8443"}, Token: "AAAAAAAAAAAAAAAAAAAAAAAAAAA"}.String()}
	if err := flash.Identify(blank(t), f); !errors.Is(err, flash.ErrNoBoot) {
		t.Fatalf("got %v", err)
	}
}
