package sample

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
)

// pgmHeader is the start of a portable grey map, P5 (bytes) or P2 (decimal
// text), as the Netpbm manual "pgm" defines it.
type pgmHeader struct {
	plain         bool // P2
	width, height int
	most          int // brightest value, 1..65535
}

var errPGM = errors.New("header is not that of a PGM file")

func readPGMHeader(r *bufio.Reader) (pgmHeader, error) {
	var magic [2]byte
	if _, err := io.ReadFull(r, magic[:]); err != nil {
		return pgmHeader{}, errPGM
	}
	h := pgmHeader{plain: magic[1] == '2'}
	for _, field := range []*int{&h.width, &h.height, &h.most} {
		var err error
		if *field, err = pgmNumber(r); err != nil {
			return pgmHeader{}, err
		}
	}
	if h.most < 1 || h.most > 65535 {
		return pgmHeader{}, fmt.Errorf("brightest value %d is not within 1 to 65535", h.most)
	}
	return h, nil
}

// pgmNumber reads one decimal number and the single white-space byte behind it,
// skipping white space and comments before it.
func pgmNumber(r *bufio.Reader) (int, error) {
	n, digits := 0, 0
	for {
		b, err := r.ReadByte()
		if err == io.EOF && digits > 0 {
			return n, nil
		}
		switch {
		case err != nil:
			return 0, fmt.Errorf("a number is missing: %w", io.ErrUnexpectedEOF)
		case b >= '0' && b <= '9':
			if digits++; digits > 6 {
				return 0, errors.New("a number is too long")
			}
			n = n*10 + int(b-'0')
		case b == '#' && digits == 0:
			if err := skipLine(r); err != nil {
				return 0, err
			}
		case b == ' ' || b == '\t' || b == '\n' || b == '\r' || b == '\v' || b == '\f':
			if digits > 0 {
				return n, nil
			}
		default:
			return 0, errPGM
		}
	}
}

func skipLine(r *bufio.Reader) error {
	for {
		b, err := r.ReadByte()
		if err != nil {
			return errPGM
		}
		if b == '\n' {
			return nil
		}
	}
}

func pgmConfig(r io.Reader) (image.Config, error) {
	h, err := readPGMHeader(bufio.NewReader(r))
	if err != nil {
		return image.Config{}, err
	}
	return image.Config{ColorModel: color.GrayModel, Width: h.width, Height: h.height}, nil
}

// pgmDecode expects a size that was checked through pgmConfig.
func pgmDecode(r io.Reader) (image.Image, error) {
	in := bufio.NewReader(r)
	h, err := readPGMHeader(in)
	if err != nil {
		return nil, err
	}
	img := image.NewGray(image.Rect(0, 0, h.width, h.height))
	for i := range img.Pix {
		v, err := h.value(in)
		if err != nil {
			clear(img.Pix)
			return nil, fmt.Errorf("pixel %d of %d: %w", i, len(img.Pix), err)
		}
		img.Pix[i] = uint8((v*255 + h.most/2) / h.most)
	}
	return img, nil
}

// value reads one pixel: text, one byte, or two bytes high first.
func (h pgmHeader) value(r *bufio.Reader) (int, error) {
	v, err := 0, error(nil)
	if h.plain {
		v, err = pgmNumber(r)
	} else {
		for most := h.most; most > 0 && err == nil; most >>= 8 {
			var b byte
			b, err = r.ReadByte()
			v = v<<8 | int(b)
		}
	}
	if err == nil && v > h.most {
		err = fmt.Errorf("value %d is above the stated brightest %d", v, h.most)
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return v, err
}
