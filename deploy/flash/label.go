package flash

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"net/url"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"rsc.io/qr"
)

// Label is what is printed for a terminal. Nothing on it is secret.
//
// When a card is flashed, the terminal has no key yet: it draws one when it joins, and the key never leaves it. A key made
// at the flashing desk would have lain on that desk and on the card's FAT, and whoever copied it there would be the
// terminal. So the label of a card names the join code by its fingerprint, by which the office's list finds it. Once the
// terminal has joined, its label can be printed with the fingerprint of its own key instead.
type Label struct {
	Site, Name  string
	What        string // what Fingerprint is of: "join" or "key"
	Fingerprint string
}

// Text is what the QR code says.
func (l Label) Text() string {
	q := url.Values{"site": {l.Site}, "name": {l.Name}, l.What: {l.Fingerprint}}
	return "tillprint-terminal:v1?" + q.Encode()
}

// Size of a label in pixels: 62 mm tape of label printers, at 300 dots an inch.
const (
	labelWidth  = 696
	labelHeight = 271
	labelMargin = 16
)

// WritePNG draws the label.
func (l Label) WritePNG(w io.Writer) error {
	code, err := qr.Encode(l.Text(), qr.M)
	if err != nil {
		return fmt.Errorf("drawing the label of %s: %w", l.Name, err)
	}
	page := image.NewGray(image.Rect(0, 0, labelWidth, labelHeight))
	draw.Draw(page, page.Rect, image.White, image.Point{}, draw.Src)
	scale := (labelHeight - 2*labelMargin) / code.Size
	side := scale * code.Size
	for y := range side {
		for x := range side {
			if code.Black(x/scale, y/scale) {
				page.SetGray(labelMargin+x, labelMargin+y, color.Gray{})
			}
		}
	}
	left := side + 3*labelMargin
	for _, line := range []struct {
		y    int
		size float64
		face []byte
		text string
	}{
		{80, 56, gobold.TTF, l.Name}, {130, 32, goregular.TTF, l.Site},
		{190, 22, goregular.TTF, l.What + " " + l.Fingerprint}, {235, 22, goregular.TTF, "Tillprint"},
	} {
		if err := write(page, left, line.y, line.size, line.face, line.text); err != nil {
			return fmt.Errorf("drawing the label of %s: %w", l.Name, err)
		}
	}
	return png.Encode(w, page)
}

// write sets text from x to the right edge, smaller where it would not fit.
func write(page draw.Image, x, y int, size float64, ttf []byte, text string) error {
	parsed, err := opentype.Parse(ttf)
	if err != nil {
		return err
	}
	for {
		face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72})
		if err != nil {
			return err
		}
		d := font.Drawer{Dst: page, Src: image.Black, Face: face, Dot: fixed.P(x, y)}
		if size <= 10 || x+d.MeasureString(text).Ceil() <= labelWidth-labelMargin {
			d.DrawString(text)
			return face.Close()
		}
		size *= 0.9
	}
}
