package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/diskfs/go-diskfs/backend/file"
	"github.com/diskfs/go-diskfs/filesystem/fat32"
	"github.com/diskfs/go-diskfs/partition/mbr"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/mod/sumdb/note"

	"github.com/tillprint/tillprint/deploy/flash"
	"github.com/tillprint/tillprint/deploy/joinfile"
	"github.com/tillprint/tillprint/deploy/release"
	"github.com/tillprint/tillprint/sync/register"
)

// The image of the tests: a partition table and an empty FAT32, as small as go.
const (
	testBoot      = 2048
	testBootSize  = 34 << 20 / 512
	testImageSize = (testBoot + testBootSize) * 512
)

// makeImage writes a signed image named card.img.zst into dir, and the release key beside it.
func makeImage(dir string) error {
	raw, err := os.CreateTemp(dir, "raw")
	if err != nil {
		return err
	}
	defer os.Remove(raw.Name())
	defer raw.Close()
	if err := raw.Truncate(testImageSize); err != nil {
		return err
	}
	table := &mbr.Table{LogicalSectorSize: 512, PhysicalSectorSize: 512,
		Partitions: []*mbr.Partition{{Index: 1, Type: mbr.Fat32LBA, Start: testBoot, Size: testBootSize}}}
	if err := table.Write(raw, testImageSize); err != nil {
		return err
	}
	if _, err := fat32.Create(file.New(raw, false), testBootSize*512, testBoot*512, 512, "TILLPRINT", true); err != nil {
		return err
	}
	if _, err := raw.Seek(0, io.SeekStart); err != nil {
		return err
	}
	packed, err := release.Pack(filepath.Join(dir, "card.img.zst"), "card.img.zst", raw)
	if err != nil {
		return err
	}
	secret, public, err := note.GenerateKey(rand.Reader, "tillprint-release")
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		return err
	}
	statement, err := release.Release{Kind: release.Image, Version: "v9.9.9", Sequence: 1, Files: []release.File{packed}}.Sign(signer)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(filepath.Join(dir, "card.img.zst.release"), statement, 0o600),
		os.WriteFile(filepath.Join(dir, "release.key"), []byte(public+"\n"), 0o600))
}

// imageForScript runs "image": see makeImage.
func imageForScript(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: image")
	}
	ts.Check(makeImage(ts.MkAbs(".")))
	ts.Setenv("CODE", testCode("till-1"))
}

func testCode(name string) string {
	token, err := register.NewToken(rand.Reader)
	if err != nil {
		panic(err)
	}
	return register.JoinCode{Site: "oakfield", Name: name, Hubs: []string{"https://hub:8443"}, Token: token}.String()
}

// reader is a USB reader whose card is a file; nothing is in it at first.
type reader struct {
	sys fstest.MapFS
	dev string
}

func newReader(t *testing.T) *reader {
	r := &reader{sys: fstest.MapFS{}, dev: t.TempDir()}
	for name, value := range map[string]string{"removable": "1", "ro": "0", "dev": "8:0", "size": "0"} {
		r.sys["block/sda/"+name] = &fstest.MapFile{Data: []byte(value)}
	}
	return r
}

// put puts a blank card in, of the given number of sectors.
func (r *reader) put(t *testing.T, sectors string, size int64) {
	t.Helper()
	path := filepath.Join(r.dev, "sda")
	if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, size)); err != nil {
		t.Fatal(err)
	}
	r.sys["block/sda/size"].Data = []byte(sectors)
}

func (r *reader) take() { r.sys["block/sda/size"].Data = []byte("0") }

// held is the join file of the card that is in.
func (r *reader) held(t *testing.T) joinfile.File {
	t.Helper()
	card, err := os.Open(filepath.Join(r.dev, "sda"))
	if err != nil {
		t.Fatal(err)
	}
	defer card.Close()
	fs, err := fat32.Read(file.New(card, true), testBootSize*512, testBoot*512, 512)
	if err != nil {
		t.Fatal(err)
	}
	text, err := fs.ReadFile(joinfile.Name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := joinfile.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A technician's afternoon: a card that was in already, two good ones, one that is too small between them, and an
// interruption, after which the batch goes on where it was.
func TestFlashBatch(t *testing.T) {
	dir, r := t.TempDir(), newReader(t)
	if err := makeImage(dir); err != nil {
		t.Fatal(err)
	}
	first, second := testCode("till-1"), testCode("till-2")
	batch := filepath.Join(dir, "codes.txt")
	if err := os.WriteFile(batch, []byte("# made today\ntill-1 "+first+"\n\ntill-2 "+second+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	run := func(steps ...func()) error {
		said.Reset()
		f := &flasher{image: filepath.Join(dir, "card.img.zst"), batch: batch, key: filepath.Join(dir, "release.key"), labels: filepath.Join(dir, "labels"),
			system: flash.System{Sys: r.sys, Proc: fstest.MapFS{"self/mountinfo": {}}, Dev: r.dev},
			in:     bufio.NewReader(strings.NewReader("yes\n")), out: &said, bar: io.Discard}
		f.pause = func(context.Context) error {
			if len(steps) == 0 {
				return context.Canceled
			}
			steps[0]()
			steps = steps[1:]
			return nil
		}
		return f.run(t.Context(), nil)
	}
	const good, goodSize = "8000000", 8000000 * 512
	r.put(t, good, goodSize)
	err := run(r.take,
		func() { r.put(t, good, goodSize) },
		func() {
			if f := r.held(t); f.Code != first {
				t.Error("the first card does not hold the first code")
			}
		})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("%v\n%s", err, said.String())
	}
	if !strings.Contains(said.String(), "is in already and is left alone") {
		t.Errorf("the card that was in is not spoken of:\n%s", said.String())
	}
	r.take()
	err = run(
		func() { r.put(t, "100000", 100000*512) }, r.take,
		func() { r.put(t, good, goodSize) },
	)
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	if f := r.held(t); f.Code != second {
		t.Error("the second card does not hold the second code")
	}
	for _, want := range []string{"too small", "card 2 of 2, for till-2", "all 2 cards are written"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("%q is not said:\n%s", want, said.String())
		}
	}
	for _, name := range []string{"oakfield-till-1.png", "oakfield-till-2.png"} {
		if _, err := os.Stat(filepath.Join(dir, "labels", name)); err != nil {
			t.Error(err)
		}
	}
}
