package zfm

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.bug.st/serial"
)

// liar is a serial port with a module behind it that answers every command with what the script says next, in packets
// whose checksums are right: the part of the driver behind the checksum sees them. Other methods of serial.Port are not
// called in this test and would panic.
type liar struct {
	serial.Port
	script, pending []byte
}

func (p *liar) SetMode(*serial.Mode) error         { return nil }
func (p *liar) SetReadTimeout(time.Duration) error { return nil }
func (p *liar) Close() error                       { return nil }

// Write takes a command and prepares its answer: up to four packets, each told by a count, a kind and the content.
func (p *liar) Write(b []byte) (int, error) {
	for range 4 {
		if len(p.script) < 2 {
			break
		}
		n := min(int(p.script[0]), len(p.script)-2)
		kind := [...]PID{Ack, Data, End, Ack}[p.script[1]%4]
		p.pending = Packet{Address: DefaultAddress, PID: kind, Content: p.script[2 : 2+n]}.Append(p.pending)
		p.script = p.script[2+n:]
		if kind == Ack {
			break
		}
	}
	return len(b), nil
}

func (p *liar) Read(b []byte) (int, error) {
	n := copy(b, p.pending)
	p.pending = p.pending[n:]
	return n, nil
}

// I6: whatever a module answers, the driver neither panics nor hangs, and an image that it hands over is whole.
func FuzzHostileModule(f *testing.F) {
	ok := []byte{1, 0, 0}
	parameters := append([]byte{17, 0, 0}, 0, 0, 0, 0, 0, 200, 0, 3, 255, 255, 255, 255, 0, 2, 0, 12)
	f.Add(append(append(ok, parameters...), ok...))
	f.Add(bytes.Repeat(ok, 40)) // acknowledges everything and tells nothing
	f.Add([]byte{1, 0, 0x21, 1, 0, 0, 1, 0, 0x13})
	product := append([]byte{47, 0, 0}, make([]byte, 46)...)
	name := append([]byte{33, 0, 0}, make([]byte, 32)...)
	f.Add(append(append(append(append(ok, parameters...), name...), product...), ok...))
	f.Add(append(append(ok, parameters...), 1, 0, 0xFC, 1, 0, 0xFC, 1, 0, 0, 0, 1, 0, 2, 200, 1, 1, 2))
	f.Fuzz(func(t *testing.T, script []byte) {
		lock, err := os.Create(filepath.Join(t.TempDir(), "lock"))
		if err != nil {
			t.Fatal(err)
		}
		o, _ := Options{Reply: time.Millisecond, Bauds: []int{115200, 57600}}.withDefaults()
		l := &link{line: &line{port: &liar{script: script}, lock: lock, baud: 115200}, options: o}
		defer l.close()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if l.start(ctx) == nil && l.capture(ctx) == nil {
			rows := 0
			_, err := l.upload(ctx, func(y int, row []byte) error {
				if len(row) != l.geometry.Width && l.geometry.Width != 0 {
					t.Errorf("a row of %d pixels in an image %d wide", len(row), l.geometry.Width)
				}
				rows = y + 1
				return nil
			})
			if err == nil && (!l.geometry.valid() || rows != l.geometry.Height) {
				t.Errorf("an image of %d rows and geometry %+v passes", rows, l.geometry)
			}
		}
		if ctx.Err() != nil {
			t.Error("took longer than its own deadlines allow")
		}
	})
}
