package sample

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// format is one kind of picture file that Decode reads.
type format struct {
	name   string
	magics []string // first bytes
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
	ppi    func([]byte) float64 // 0 when the file says none
}

var formats = []format{
	{"TIFF", []string{"II*\x00", "MM\x00*"}, tiff.DecodeConfig, tiff.Decode, tiffPPI},
	{"PNG", []string{"\x89PNG\r\n\x1a\n"}, png.DecodeConfig, png.Decode, pngPPI},
	{"BMP", []string{"BM"}, bmp.DecodeConfig, bmp.Decode, bmpPPI},
	{"PGM", []string{"P5", "P2"}, pgmConfig, pgmDecode, func([]byte) float64 { return 0 }},
}

// ErrNotAPicture is returned for bytes that are none of the formats Decode reads.
var ErrNotAPicture = errors.New("not a picture that can be read; give a TIFF, PNG, BMP or PGM file")

// Decode reads a picture: TIFF, PNG, BMP, or PGM (P5 and P2). Colour becomes
// grey (ITU-R BT.601 luma), transparency becomes white. PPI is what the file
// states, or 0 when it states none that can be a fingerprint's; callers then
// set their own, 500 by custom. At most MaxFileBytes are read and at most
// MaxSide pixels a side decoded; the size is checked before any pixel is. The
// largest accepted picture, in 16-bit colour, takes some 300 MiB while it is
// being read; a fingerprint takes a few hundred KiB.
func Decode(r io.Reader) (*Sample, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxFileBytes+1))
	defer clear(data)
	if err != nil {
		return nil, fmt.Errorf("reading the picture: %w", err)
	}
	if len(data) > MaxFileBytes {
		return nil, fmt.Errorf("the file is too large: at most %d MiB are read", MaxFileBytes>>20)
	}
	for _, f := range formats {
		for _, magic := range f.magics {
			if bytes.HasPrefix(data, []byte(magic)) {
				return f.read(data)
			}
		}
	}
	return nil, ErrNotAPicture
}

func (f format) read(data []byte) (*Sample, error) {
	config, err := f.config(bytes.NewReader(data))
	if err != nil {
		return nil, f.damaged(err)
	}
	if err := checkSize(config.Width, config.Height); err != nil {
		return nil, err
	}
	img, err := f.decode(bytes.NewReader(data))
	if err != nil {
		return nil, f.damaged(err)
	}
	defer wipe(img)
	s, err := FromImage(img)
	if err != nil {
		return nil, err
	}
	if ppi := f.ppi(data); plausiblePPI(ppi) {
		s.PPI = ppi
	}
	return s, nil
}

func (f format) damaged(err error) error {
	return fmt.Errorf("the %s file is damaged or of a kind that is not read (%w); export it again as 8-bit grey", f.name, err)
}

// ReadFile decodes the picture at path; its errors name the file.
func ReadFile(path string) (*Sample, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening a fingerprint picture: %w", err)
	}
	defer f.Close()
	s, err := Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// FromImage turns any image into a sample of unknown resolution. Colour becomes
// grey and transparency white. The image is left as it is.
func FromImage(img image.Image) (*Sample, error) {
	b := img.Bounds()
	if err := checkSize(b.Dx(), b.Dy()); err != nil {
		return nil, err
	}
	s := New(b.Dx(), b.Dy(), 0)
	if g, ok := img.(*image.Gray); ok {
		for y := range s.Height {
			copy(s.Pix[y*s.Width:(y+1)*s.Width], g.Pix[g.PixOffset(b.Min.X, b.Min.Y+y):])
		}
		return s, nil
	}
	for y := range s.Height {
		for x := range s.Width {
			r, g, b, a := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
			luma := (19595*r + 38470*g + 7471*b + 1<<15) >> 16 // BT.601, 16 bits
			s.Pix[y*s.Width+x] = uint8((luma + (0xffff - a)) >> 8)
		}
	}
	return s, nil
}

// Image returns the sample as a standard grey image that shares its pixels, to
// be shown or encoded.
func (s *Sample) Image() *image.Gray {
	return &image.Gray{Pix: s.Pix, Stride: s.Width, Rect: image.Rect(0, 0, s.Width, s.Height)}
}

// wipe overwrites a decoder's own copy of the pixels.
func wipe(img image.Image) {
	switch m := img.(type) {
	case *image.Gray:
		clear(m.Pix)
	case *image.Gray16:
		clear(m.Pix)
	case *image.RGBA:
		clear(m.Pix)
	case *image.NRGBA:
		clear(m.Pix)
	case *image.RGBA64:
		clear(m.Pix)
	case *image.NRGBA64:
		clear(m.Pix)
	case *image.Paletted:
		clear(m.Pix)
	}
}
