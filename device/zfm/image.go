package zfm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tillprint/tillprint/locked"
)

// uploads is how often an image is asked for when its way over the line is disturbed. The image stays in the module's
// buffer, so the finger need not be pressed again.
const uploads = 3

// upload receives the image in the module's buffer, row by row, and repeats it after a disturbance.
// The rows handed out before a disturbance were possibly wrong: they come again from row 0.
func (l *link) upload(ctx context.Context, row func(y int, pixels []byte) error) (tries int, err error) {
	wrongSize := -1
	for tries = 1; ; tries++ {
		err = l.uploadOnce(ctx, row)
		var size *GeometryError
		switch {
		case err == nil:
			return tries, nil
		case errors.As(err, &size):
			// A packet that vanished whole looks like this once; a module that lies, each time.
			if size.Bytes == wrongSize {
				return tries, err
			}
			wrongSize = size.Bytes
		case !errors.Is(err, ErrLine) && !isCode(err, PasswordNeeded):
			return tries, err
		}
		l.info.LineErrors++
		l.verified = false // a restart is the likeliest disturbance
		if tries == uploads {
			return tries, fmt.Errorf("receiving the image failed %d times: check the sensor's cable: %w", tries, err)
		}
	}
}

// uploadOnce asks for the image and receives it until its end packet.
func (l *link) uploadOnce(ctx context.Context, row func(y int, pixels []byte) error) error {
	if l.image == nil {
		l.image = locked.Make[byte](imageMax)[:0] // never grows, so that clearing it leaves no copy behind
	}
	defer func() {
		clear(l.image[:cap(l.image)])
		l.image = l.image[:0]
		l.scan.Reset()
	}()
	limit := time.Now().Add(l.uploadLimit())
	_, err := l.attempt(ctx, command{code: UploadImage})
	l.dirtyUntil = limit // if only the ack was lost, the image comes all the same
	if err != nil {
		return err
	}
	rows := rowWriter{geometry: l.geometry, row: row}
	defer rows.free()
	skipped := l.scan.Skipped()
	for {
		p, err := l.next(ctx, limit, l.options.Reply)
		if err != nil {
			return err
		}
		if l.scan.Skipped() != skipped || p.Address != l.options.Address || (p.PID != Data && p.PID != End) ||
			len(l.image)+len(p.Content) > imageMax {
			return fmt.Errorf("image disturbed after %d bytes: %w", len(l.image), ErrLine)
		}
		l.image = append(l.image, p.Content...)
		if p.PID == End {
			l.dirtyUntil = time.Time{}
			return l.finish(&rows)
		}
		if err := rows.write(l.image); err != nil {
			return err
		}
	}
}

// finish checks the image's size, learns it when nobody declared one, and hands out the rows that remain.
func (l *link) finish(rows *rowWriter) error {
	if rows.geometry == (Geometry{}) {
		g, ok := geometryOf(len(l.image))
		if !ok {
			return &GeometryError{Bytes: len(l.image)}
		}
		rows.geometry, l.geometry = g, g
	}
	if g := rows.geometry; len(l.image) != g.bytes() {
		return &GeometryError{Width: g.Width, Height: g.Height, Bytes: len(l.image)}
	}
	return rows.write(l.image)
}

// uploadLimit is the absolute deadline of one image: half as long again as its bytes take on the wire, since real
// modules pause between packets, and some for the module to begin.
func (l *link) uploadLimit() time.Duration {
	bytes := geometries[0].bytes()
	if l.geometry.valid() {
		bytes = l.geometry.bytes()
	}
	packet := max(l.parameters.PacketSize, 32)
	onWire := bytes + bytes/packet*(headerBytes+sumBytes)
	return time.Duration(onWire)*15*time.Second/time.Duration(l.baud) + 2*l.options.Reply
}

// rowWriter turns the packed image into rows of pixels as it grows. While the geometry is unknown it hands out none.
type rowWriter struct {
	geometry Geometry
	row      func(y int, pixels []byte) error
	y        int
	pixels   []byte // the row handed out; reused for the next
}

// write hands out every complete row of the packed image that was not handed out before.
func (w *rowWriter) write(packed []byte) error {
	stride := w.geometry.Width / 2
	if stride == 0 {
		return nil
	}
	if w.pixels == nil {
		w.pixels = locked.Make[byte](w.geometry.Width)
	}
	for ; w.y < w.geometry.Height && (w.y+1)*stride <= len(packed); w.y++ {
		unpack(w.pixels, packed[w.y*stride:][:stride])
		if err := w.row(w.y, w.pixels); err != nil {
			return err
		}
	}
	return nil
}

func (w *rowWriter) free() { locked.Free(w.pixels) }

// unpack expands two pixels of four bits a byte to 0..255 each, the high nibble being the left one
// (ZFM manual 1.3, section 4.2.1). Multiplying by 17 makes 15 the full 255.
func unpack(pixels, packed []byte) {
	for i, b := range packed {
		pixels[2*i] = b >> 4 * 17
		pixels[2*i+1] = b & 15 * 17
	}
}
