package iso19794

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/tillprint/tillprint/matcher"
)

// Marshal writes a record of one view. Positions are rounded to whole pixels
// of the record's resolution and angles to 1/256 turn. The caller clears the
// result.
func Marshal(t *matcher.Template, meta Meta) ([]byte, error) {
	return MarshalViews([]View{{meta, t}})
}

// MarshalViews writes several views as one record. Size, resolution and
// equipment are the record's, so all views must agree in them.
func MarshalViews(views []View) ([]byte, error) { return AppendViews(make([]byte, 0, 1024), views) }

// AppendViews is MarshalViews for a caller who wants no copies of templates: it appends to dst, and moves it only if it
// has no room.
func AppendViews(dst []byte, views []View) ([]byte, error) {
	if len(views) < 1 || len(views) > maxViews {
		return nil, fmt.Errorf("write ISO record: %d views, need 1 to %d", len(views), maxViews)
	}
	var header Meta
	begin := len(dst)
	b := append(dst, make([]byte, headerBytes)...)
	for i, v := range views {
		meta, err := v.complete()
		if err != nil {
			return nil, fmt.Errorf("write ISO record: view %d: %w", i, err)
		}
		if i == 0 {
			header = meta
		} else if !header.sameRecord(&meta) {
			return nil, fmt.Errorf("write ISO record: view %d differs from the first in size, resolution or equipment", i)
		}
		b = appendView(b, &meta, v.Template)
		if len(v.Template.Flow) > 0 { // complete has made a copy with the flow in it
			clear(meta.Extended)
		}
	}
	whole := b
	b = b[begin:]
	copy(b, magic)
	binary.BigEndian.PutUint32(b[8:], uint32(len(b)))
	binary.BigEndian.PutUint16(b[12:], header.Equipment)
	binary.BigEndian.PutUint16(b[14:], uint16(header.Width))
	binary.BigEndian.PutUint16(b[16:], uint16(header.Height))
	binary.BigEndian.PutUint16(b[18:], header.HorizontalPPCM)
	binary.BigEndian.PutUint16(b[20:], header.VerticalPPCM)
	b[22] = uint8(len(views))
	return whole, nil
}

// complete fills in v's defaults and checks everything that is to be written.
func (v *View) complete() (Meta, error) {
	if err := v.Template.Validate(); err != nil {
		return Meta{}, err
	}
	m := v.Meta
	m.Extended = appendFlow(m.Extended, v.Template)
	if m.HorizontalPPCM == 0 {
		m.HorizontalPPCM = defaultPPCM
	}
	if m.VerticalPPCM == 0 {
		m.VerticalPPCM = defaultPPCM
	}
	if m.Width == 0 {
		m.Width = int(math.Round(float64(v.Template.Width) / scale(m.HorizontalPPCM)))
	}
	if m.Height == 0 {
		m.Height = int(math.Round(float64(v.Template.Height) / scale(m.VerticalPPCM)))
	}
	return m, m.check()
}

func (m *Meta) sameRecord(o *Meta) bool {
	return m.Width == o.Width && m.Height == o.Height && m.Equipment == o.Equipment &&
		m.HorizontalPPCM == o.HorizontalPPCM && m.VerticalPPCM == o.VerticalPPCM
}

func appendView(b []byte, m *Meta, t *matcher.Template) []byte {
	b = append(b, m.Finger, m.Number<<4|m.Impression, t.Quality, uint8(len(t.Minutiae)))
	sx, sy := scale(m.HorizontalPPCM), scale(m.VerticalPPCM)
	for _, p := range t.Minutiae {
		x := position(p.X, sx, m.Width)
		y := position(p.Y, sy, m.Height)
		b = binary.BigEndian.AppendUint16(b, uint16(p.Kind)<<14|x)
		b = binary.BigEndian.AppendUint16(b, y)
		b = append(b, stepOf(p.Angle), p.Quality)
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(m.Extended)))
	return append(b, m.Extended...)
}

// position rounds v to a pixel of the record, staying inside the image.
func position(v float32, scale float64, side int) uint16 {
	return uint16(min(int(math.Round(float64(v)/scale)), side-1))
}
