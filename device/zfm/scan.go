package zfm

import (
	"context"
	"errors"
	"time"

	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/matcher/sample"
)

// Timing says where the time of a scan went.
type Timing struct {
	Capture time.Duration // from asking for a capture to its acknowledgement
	Wire    time.Duration // from asking for the image to its last row, repeats included
	Uploads int           // how often the image was sent: more than once means a disturbed line
}

// Capture asks the module to take an image into its buffer. Without a finger on the glass the error is ErrNoFinger.
func (m *Module) Capture(ctx context.Context) error {
	return m.do(ctx, func(ctx context.Context, l *link) error { return l.capture(ctx) })
}

// Present reports whether a finger is on the glass. If so, its image is in the module's buffer.
func (m *Module) Present(ctx context.Context) (bool, error) {
	err := m.Capture(ctx)
	if errors.Is(err, ErrNoFinger) {
		return false, nil
	}
	return err == nil, err
}

// WaitFinger asks for a finger every interval until there is one or ctx ends: for terminals without a touch line.
// The finger's image is then in the module's buffer.
func (m *Module) WaitFinger(ctx context.Context, interval time.Duration) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if found, err := m.Present(ctx); found || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Upload receives the image in the module's buffer and hands over each row as soon as it is there: y from 0, pixels
// from 0 (ridge) to 255, valid only during the call.
//
// When the line is disturbed the image is sent again and rows begin anew at 0; only a nil error says that the last
// series was good. When the module's geometry is not known yet, rows come together after the image's end. An error from
// row ends the upload and is returned; the rest of the image is dropped before the next command.
func (m *Module) Upload(ctx context.Context, row func(y int, pixels []byte) error) (Geometry, error) {
	var g Geometry
	err := m.do(ctx, func(ctx context.Context, l *link) error {
		_, err := l.upload(ctx, row)
		g = l.geometry
		return err
	})
	return g, err
}

// Scan captures a finger and receives its image. Rows, which may be nil, is called as in Upload.
// The caller clears the sample. Without a finger the error is ErrNoFinger.
func (m *Module) Scan(ctx context.Context, rows func(y int, pixels []byte)) (*sample.Sample, Timing, error) {
	var s *sample.Sample
	var t Timing
	err := m.do(ctx, func(ctx context.Context, l *link) (err error) {
		start := time.Now()
		if err := l.capture(ctx); err != nil {
			return err
		}
		captured := time.Now()
		t.Capture = captured.Sub(start)
		s, t.Uploads, err = l.receive(ctx, rows)
		t.Wire = time.Since(captured)
		return err
	})
	return s, t, err
}

// receive uploads into a new sample, which it clears when the upload fails.
func (l *link) receive(ctx context.Context, rows func(y int, pixels []byte)) (*sample.Sample, int, error) {
	var s *sample.Sample
	tries, err := l.upload(ctx, func(y int, pixels []byte) error {
		if s == nil {
			s = &sample.Sample{Width: l.geometry.Width, Height: l.geometry.Height, PPI: l.geometry.PPI,
				Pix: locked.Make[uint8](l.geometry.Width * l.geometry.Height)}
		}
		copy(s.Pix[y*s.Width:], pixels)
		if rows != nil {
			rows(y, pixels)
		}
		return nil
	})
	if err != nil && s != nil {
		s.Clear()
		s = nil
	}
	return s, tries, err
}

// capture uses the instruction that suits the family: an R503's also tells a poor image, a ZFM's can leave the light on.
func (l *link) capture(ctx context.Context) error {
	c := command{code: CaptureImage, wait: 3 * l.options.Reply, repeatable: true}
	switch {
	case l.info.Family == R503 && !l.plain:
		c.code = CaptureImageEx
	case l.info.Family == ZFM && l.lit:
		c.code = CaptureUnlit
	}
	_, err := l.exchange(ctx, c)
	if c.code == CaptureImageEx && (isCode(err, NotSupported) || isCode(err, BadPacket)) {
		l.plain = true // older firmware
		c.code = CaptureImage
		_, err = l.exchange(ctx, c)
	}
	return err
}
