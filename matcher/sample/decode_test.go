package sample

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// ramp is a small grey picture in which every pixel differs from the next.
func ramp(width, height int) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = uint8(i * 7)
	}
	return img
}

// encoded is img in every format, by name.
func encoded(t testing.TB, img image.Image) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	put := func(name string, encode func(*bytes.Buffer) error) {
		var b bytes.Buffer
		if err := encode(&b); err != nil {
			t.Fatalf("encoding %s: %v", name, err)
		}
		files[name] = b.Bytes()
	}
	put("tif", func(b *bytes.Buffer) error { return tiff.Encode(b, img, nil) })
	put("deflate.tif", func(b *bytes.Buffer) error {
		return tiff.Encode(b, img, &tiff.Options{Compression: tiff.Deflate, Predictor: true})
	})
	put("png", func(b *bytes.Buffer) error { return png.Encode(b, img) })
	put("bmp", func(b *bytes.Buffer) error { return bmp.Encode(b, img) })
	g := img.(*image.Gray)
	put("p5.pgm", func(b *bytes.Buffer) error {
		fmt.Fprintf(b, "P5\n# a comment\n%d %d\n255\n", g.Rect.Dx(), g.Rect.Dy())
		_, err := b.Write(g.Pix)
		return err
	})
	put("p2.pgm", func(b *bytes.Buffer) error {
		fmt.Fprintf(b, "P2 %d %d 255", g.Rect.Dx(), g.Rect.Dy())
		for _, v := range g.Pix {
			fmt.Fprintf(b, "\n%d", v)
		}
		return nil
	})
	return files
}

func TestDecodeEveryFormat(t *testing.T) {
	img := ramp(13, 9)
	for name, data := range encoded(t, img) {
		s, err := Decode(bytes.NewReader(data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := s.Validate(); err != nil || s.Width != 13 || s.Height != 9 || !bytes.Equal(s.Pix, img.Pix) {
			t.Errorf("%s: pixels differ (%dx%d, %v)", name, s.Width, s.Height, err)
		}
	}
}

func TestDecodeColourToGrey(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 5, 1))
	for x, c := range []color.NRGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {9, 9, 9, 255}, {0, 0, 0, 0}} {
		img.SetNRGBA(x, 0, c)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	s, err := Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	if want := []uint8{76, 150, 29, 9, 255}; !bytes.Equal(s.Pix, want) {
		t.Errorf("grey of red, green, blue, 9, transparent = %v, want %v", s.Pix, want)
	}
}

func TestDecode16BitPGM(t *testing.T) {
	s, err := Decode(strings.NewReader("P5 2 1 1000\n\x03\xe8\x01\xf4"))
	if err != nil {
		t.Fatal(err)
	}
	if want := []uint8{255, 128}; !bytes.Equal(s.Pix, want) {
		t.Errorf("pixels %v, want %v", s.Pix, want)
	}
}

func TestDecodeBadInput(t *testing.T) {
	huge := encoded(t, ramp(2, 2))["bmp"]
	binary.LittleEndian.PutUint32(huge[18:], 100_000)
	cut := encoded(t, ramp(40, 40))
	cases := []struct{ name, data, says string }{
		{"nothing", "", "not a picture"},
		{"text", "<html>", "not a picture"},
		{"JPEG", "\xff\xd8\xff\xe0", "not a picture"},
		{"huge BMP", string(huge), "too large"},
		{"huge PGM", "P5 5000 2 255\n", "too large"},
		{"number too long", "P5 99999999 2 255\n", "damaged"},
		{"empty PGM", "P5 0 4 255\n", "empty"},
		{"PGM without pixels", "P5 4 4 255\n", "damaged"},
		{"PGM of brightness 0", "P5 4 4 0\n", "damaged"},
		{"PGM value above its most", "P2 1 1 10 11", "damaged"},
		{"PGM of words", "P2 one two", "damaged"},
		{"endless comment", "P5 #" + strings.Repeat("x", 1000), "damaged"},
		{"cut TIFF", string(cut["tif"][:60]), "damaged"},
		{"cut PNG", string(cut["png"][:60]), "damaged"},
		{"cut BMP", string(cut["bmp"][:40]), "damaged"},
	}
	for _, c := range cases {
		s, err := Decode(strings.NewReader(c.data))
		if err == nil || s != nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want an error saying %q", c.name, err, c.says)
		}
	}
}

// endless is a file that does not stop.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestDecodeStopsReading(t *testing.T) {
	if _, err := Decode(endless{}); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("endless file: %v", err)
	}
}

func TestReadFileNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "101_1.png")
	if err := os.WriteFile(path, []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := ReadFile(path)
	if !errors.Is(err, ErrNotAPicture) || !strings.Contains(err.Error(), "101_1.png") {
		t.Errorf("error %v", err)
	}
	if _, err := ReadFile(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

func TestResolutionFromFile(t *testing.T) {
	perMetre := uint32(19685) // 500 ppi
	files := encoded(t, ramp(4, 4))
	binary.LittleEndian.PutUint32(files["bmp"][38:], perMetre)
	binary.LittleEndian.PutUint32(files["bmp"][42:], perMetre)
	cases := []struct {
		name string
		data []byte
		want float64
	}{
		{"PNG of 500 ppi", withPHYs(files["png"], perMetre, 1), 500},
		{"PNG of an aspect ratio", withPHYs(files["png"], perMetre, 0), 0},
		{"PNG of 72 ppi", withPHYs(files["png"], 2835, 1), 0},
		{"PNG that says none", files["png"], 0},
		{"BMP of 500 ppi", files["bmp"], 500},
		{"TIFF of 72 ppi", files["tif"], 0},
		{"TIFF of 508 ppi", withTIFFResolution(files["tif"], 508, 2), 508},
		{"TIFF of 200 a centimetre", withTIFFResolution(files["tif"], 200, 3), 508},
		{"TIFF of no unit", withTIFFResolution(files["tif"], 508, 1), 0},
		{"PGM", files["p5.pgm"], 0},
	}
	for _, c := range cases {
		s, err := Decode(bytes.NewReader(c.data))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if math.Abs(s.PPI-c.want) > 0.1 {
			t.Errorf("%s: %g ppi, want %g", c.name, s.PPI, c.want)
		}
	}
}

// withPHYs puts a pHYs chunk behind the header of a PNG file.
func withPHYs(file []byte, perUnit uint32, unit byte) []byte {
	const header = 8 + 25 // signature and IHDR chunk
	chunk := binary.BigEndian.AppendUint32(nil, 9)
	chunk = append(chunk, "pHYs"...)
	chunk = binary.BigEndian.AppendUint32(chunk, perUnit)
	chunk = binary.BigEndian.AppendUint32(chunk, perUnit)
	chunk = append(chunk, unit)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	return append(append(append([]byte(nil), file[:header]...), chunk...), file[header:]...)
}

// withTIFFResolution changes the resolution that the encoder wrote.
func withTIFFResolution(file []byte, perUnit uint32, unit uint16) []byte {
	file = append([]byte(nil), file...)
	order := binary.LittleEndian
	at := order.Uint32(file[4:])
	for i := range uint32(order.Uint16(file[at:])) {
		entry := file[at+2+12*i:]
		switch order.Uint16(entry) {
		case tagXResolution, tagYResolution:
			order.PutUint32(file[order.Uint32(entry[8:]):], perUnit)
		case tagResolutionUnit:
			order.PutUint16(entry[8:], unit)
		}
	}
	return file
}

func FuzzDecode(f *testing.F) {
	for _, data := range encoded(f, ramp(7, 5)) {
		f.Add(data)
	}
	f.Add([]byte("P2 2 2 9 1 2 3 4"))
	f.Add([]byte("P5 1 1 65535\n\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Decode(bytes.NewReader(data))
		if err != nil {
			return
		}
		if err := s.Validate(); err != nil {
			t.Fatal(err)
		}
		if s.Width*s.Height <= 1<<16 {
			R558.Press(s)
		}
	})
}
