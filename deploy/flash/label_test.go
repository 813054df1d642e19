package flash_test

import (
	"bytes"
	"image/png"
	"strings"
	"testing"

	"github.com/tillprint/tillprint/deploy/flash"
)

func TestLabel(t *testing.T) {
	l := flash.Label{Site: "oakfield", Name: strings.Repeat("w", 32), What: "join", Fingerprint: "0123456789abcdef"}
	if want := "tillprint-terminal:v1?join=0123456789abcdef&name=" + l.Name + "&site=oakfield"; l.Text() != want {
		t.Errorf("the QR code says %q, want %q", l.Text(), want)
	}
	var b bytes.Buffer
	if err := l.WritePNG(&b); err != nil {
		t.Fatal(err)
	}
	page, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	// The longest name ends before the margin: its right edge is white, and the name is not cut away altogether.
	box, ink := page.Bounds(), 0
	for y := range box.Dy() {
		for x := range box.Dx() {
			r, _, _, _ := page.At(x, y).RGBA()
			if x > 300 && r == 0 {
				ink++
			}
			if x >= box.Dx()-8 && r != 0xffff {
				t.Fatalf("ink at %d, %d", x, y)
			}
		}
	}
	if ink < 500 {
		t.Fatalf("only %d black pixels beside the QR code", ink)
	}
}

func TestContents(t *testing.T) {
	sector := func(edit func(b []byte)) *bytes.Reader {
		b := make([]byte, 4096)
		edit(b)
		return bytes.NewReader(b)
	}
	for _, c := range []struct {
		want string
		edit func(b []byte)
	}{
		{"empty", func([]byte) {}},
		{`ext4 "rootfs"`, func(b []byte) { b[1080], b[1081] = 0x53, 0xef; copy(b[1144:], "rootfs") }},
		{`FAT32 "bootfs"`, func(b []byte) { copy(b[82:], "FAT32   "); copy(b[71:], "bootfs     ") }},
		{`FAT32`, func(b []byte) { copy(b[82:], "FAT32   "); copy(b[71:], "NO NAME    ") }},
		{`FAT32 "[31mboo"`, func(b []byte) { copy(b[82:], "FAT32   "); copy(b[71:], "\x1b[31mboo   ") }},
		{"exFAT", func(b []byte) { copy(b[3:], "EXFAT   ") }},
		{"something unknown", func(b []byte) { b[7] = 1 }},
	} {
		if got := flash.Contents(sector(c.edit)); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func FuzzContents(f *testing.F) {
	f.Add([]byte("hsqs"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s := flash.Contents(bytes.NewReader(b)); strings.ContainsAny(s, "\x1b\n") {
			t.Fatalf("%q", s)
		}
	})
}
