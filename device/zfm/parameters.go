package zfm

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
)

// Parameters is the module's system block, as ReadSysPara (0F) gives it.
type Parameters struct {
	Status     uint16 // bit 0 busy, 1 last match passed, 2 password verified, 3 image buffer holds an image
	SystemID   uint16 // 0 or 9 on most ZFM and R503 modules; a ZW puts its template's size there
	Capacity   int    // templates the module's own library could hold; unused here
	Security   int    // 1 to 5, of the module's own matcher; unused here
	Address    uint32
	PacketSize int    // content of a data packet, in bytes: 32, 64, 128 or 256
	BaudUnits  uint16 // baud/9600 as stored, which some modules apply only after a power cycle
}

const (
	parametersBytes     = 16
	parameterBaud       = 4
	parameterPacketSize = 6
	textBytes           = 32
	productBytes        = 46
)

// readParameters asks for the system block. The R308 does not answer it; such a module is taken to be as delivered.
func (l *link) readParameters(ctx context.Context) (Parameters, error) {
	b, err := l.exchange(ctx, command{code: ReadParameters, reply: parametersBytes, repeatable: true})
	if err != nil {
		return Parameters{}, fmt.Errorf("reading the module's parameters: %w", err)
	}
	return parseParameters(b), nil
}

func parseParameters(b []byte) Parameters {
	word := func(i int) uint16 { return binary.BigEndian.Uint16(b[2*i:]) }
	return Parameters{
		Status:     word(0),
		SystemID:   word(1),
		Capacity:   int(word(2)),
		Security:   int(word(3)),
		Address:    binary.BigEndian.Uint32(b[8:]),
		PacketSize: 32 << (word(6) & 3),
		BaudUnits:  word(7),
	}
}

// asDelivered is what a module that keeps its parameters to itself is assumed to have.
var asDelivered = Parameters{SystemID: 9, Address: DefaultAddress, PacketSize: 128, BaudUnits: factoryBaud / baudUnit}

// readProduct asks an R503 for its product information and takes the image's size from it. Firmware that does not know
// the instruction is left to the first image.
func (l *link) readProduct(ctx context.Context) error {
	b, err := l.exchange(ctx, command{code: ProductInfo, reply: productBytes, repeatable: true})
	if err != nil {
		if refusedOrSilent(err) {
			return nil
		}
		return err
	}
	l.info.Name = strings.TrimSpace(text(b[:16]))
	l.info.Serial = strings.TrimSpace(text(b[20:28]))
	g := geometryFor(int(binary.BigEndian.Uint16(b[38:])), int(binary.BigEndian.Uint16(b[40:])))
	if !g.valid() {
		return fmt.Errorf("module %s says its image has %dx%d pixels, which no sensor of its kind has: replace the module, or set width and height in the config: %w",
			l.info.Name, g.Width, g.Height, ErrGeometry)
	}
	l.geometry = g
	return nil
}

// text keeps the printable ASCII of a fixed field, up to its first zero byte.
func text(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, string(b))
}

func be32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
