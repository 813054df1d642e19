package sample

import "encoding/binary"

const metresPerInch = 0.0254

// pngPPI reads the pHYs chunk (PNG specification, third edition, 11.3.4.3).
// The walk ends at the first IDAT, before which pHYs must stand.
func pngPPI(data []byte) float64 {
	for at := 8; at+12 <= len(data); {
		size := int(binary.BigEndian.Uint32(data[at:]))
		kind := string(data[at+4 : at+8])
		if kind == "IDAT" || size < 0 || size > len(data)-at-12 {
			return 0
		}
		if body := data[at+8 : at+8+size]; kind == "pHYs" && size == 9 {
			x, y := binary.BigEndian.Uint32(body), binary.BigEndian.Uint32(body[4:])
			if x != y || body[8] != 1 { // unit 1 = metre
				return 0
			}
			return float64(x) * metresPerInch
		}
		at += 12 + size
	}
	return 0
}

// bmpPPI reads biXPelsPerMeter and biYPelsPerMeter of a BITMAPINFOHEADER or a
// later header (Microsoft, Windows GDI, BITMAPINFOHEADER structure).
func bmpPPI(data []byte) float64 {
	if len(data) < 54 || binary.LittleEndian.Uint32(data[14:]) < 40 {
		return 0
	}
	x, y := binary.LittleEndian.Uint32(data[38:]), binary.LittleEndian.Uint32(data[42:])
	if x != y {
		return 0
	}
	return float64(x) * metresPerInch
}

// TIFF tags and types that say a resolution (TIFF 6.0, section 8).
const (
	tagXResolution    = 282
	tagYResolution    = 283
	tagResolutionUnit = 296
	typeShort         = 3
	typeRational      = 5
)

// tiffPPI reads the resolution from the first image file directory. Without a
// unit TIFF means inches.
func tiffPPI(data []byte) float64 {
	if len(data) < 8 {
		return 0
	}
	var order binary.ByteOrder = binary.LittleEndian
	if data[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(data[4:]))
	if at+2 > int64(len(data)) {
		return 0
	}
	directory := data[at+2:]
	var x, y float64
	perUnit := 1.0 // inches a unit
	for range order.Uint16(data[at:]) {
		if len(directory) < 12 {
			return 0
		}
		switch entry := directory[:12]; order.Uint16(entry) {
		case tagXResolution:
			x = rational(data, entry, order)
		case tagYResolution:
			y = rational(data, entry, order)
		case tagResolutionUnit:
			perUnit = unitInches(entry, order)
		}
		directory = directory[12:]
	}
	if x != y {
		return 0
	}
	return x * perUnit
}

// unitInches turns a resolution in the entry's unit into one per inch; a unit
// that is none ("no absolute unit") gives 0.
func unitInches(entry []byte, order binary.ByteOrder) float64 {
	if order.Uint16(entry[2:]) != typeShort {
		return 0
	}
	switch order.Uint16(entry[8:]) {
	case 2:
		return 1
	case 3:
		return 2.54
	}
	return 0
}

func rational(data, entry []byte, order binary.ByteOrder) float64 {
	at := int64(order.Uint32(entry[8:]))
	if order.Uint16(entry[2:]) != typeRational || order.Uint32(entry[4:]) != 1 || at+8 > int64(len(data)) {
		return 0
	}
	n, d := order.Uint32(data[at:]), order.Uint32(data[at+4:])
	if d == 0 {
		return 0
	}
	return float64(n) / float64(d)
}
