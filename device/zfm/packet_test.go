package zfm_test

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tillprint/tillprint/device/zfm"
)

// The worked examples of the manuals, byte for byte.
var examples = []struct {
	name   string
	packet zfm.Packet
	wire   string
}{
	{"capture", zfm.Packet{zfm.DefaultAddress, zfm.Command, []byte{0x01}}, "EF01FFFFFFFF010003010005"},
	{"ack ok", zfm.Packet{zfm.DefaultAddress, zfm.Ack, []byte{0x00}}, "EF01FFFFFFFF07000300000A"},
	{"verify password 0", zfm.Packet{zfm.DefaultAddress, zfm.Command, []byte{0x13, 0, 0, 0, 0}}, "EF01FFFFFFFF01000713 00000000 001B"},
	{"ack no finger", zfm.Packet{zfm.DefaultAddress, zfm.Ack, []byte{0x02}}, "EF01FFFFFFFF07000302000C"},
	{"upload image", zfm.Packet{zfm.DefaultAddress, zfm.Command, []byte{0x0A}}, "EF01FFFFFFFF0100030A000E"},
	{"read parameters", zfm.Packet{zfm.DefaultAddress, zfm.Command, []byte{0x0F}}, "EF01FFFFFFFF0100030F0013"},
	{"set 115200 baud", zfm.Packet{zfm.DefaultAddress, zfm.Command, []byte{0x0E, 4, 12}}, "EF01FFFFFFFF0100050E040C0024"},
}

func wire(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(string(bytes.ReplaceAll([]byte(s), []byte(" "), nil)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// scanAll feeds the bytes in pieces of the given size and returns the packets found.
func scanAll(s *zfm.Scanner, stream []byte, piece int) (found []zfm.Packet) {
	for len(stream) > 0 {
		n := min(piece, len(stream))
		s.Write(stream[:n])
		stream = stream[n:]
		for p, ok := s.Next(); ok; p, ok = s.Next() {
			p.Content = bytes.Clone(p.Content)
			found = append(found, p)
		}
	}
	return found
}

func TestPacketExamples(t *testing.T) {
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			want := wire(t, e.wire)
			if got := e.packet.Append(nil); !bytes.Equal(got, want) {
				t.Errorf("encoded as % X, the manual has % X", got, want)
			}
			for piece := 1; piece <= len(want); piece++ {
				var s zfm.Scanner
				if diff := cmp.Diff([]zfm.Packet{e.packet}, scanAll(&s, want, piece)); diff != "" || s.Skipped() != 0 {
					t.Errorf("in pieces of %d: skipped %d, %s", piece, s.Skipped(), diff)
				}
			}
		})
	}
}

// What a scanner makes of disturbed streams.
func TestScannerResynchronises(t *testing.T) {
	good := examples[1].packet.Append(nil)
	at := func(i int, v byte) []byte { b := bytes.Clone(good); b[i] = v; return b }
	long := bytes.Clone(good)
	long[8] = 0xF0 // a length that promises more than there is
	cases := []struct {
		name    string
		before  []byte // what comes in front of a good packet; noise that a length promises may follow it
		packets int
		wokeUp  bool
	}{
		{"clean", nil, 1, false},
		{"power-up bytes", []byte{0x00, 0x55}, 1, true},
		{"half a header", []byte{0xEF}, 1, false},
		{"header twice", []byte{0xEF, 0x01}, 1, false},
		{"many EF", []byte{0xEF, 0xEF, 0xEF}, 1, false},
		{"wrong checksum", at(11, 0xFF), 1, false},
		{"flipped content", at(9, 0x01), 1, false},
		{"unknown kind", at(6, 0x03), 1, false},
		{"length below the checksum's own", at(8, 0x01), 1, false},
		{"length beyond any module", at(7, 0xFF), 1, false},
		{"first half lost", good[6:], 1, false},
		{"second half lost", good[:7], 1, false},
		{"a good one before", good, 2, false},
		{"inside a longer promise", long[:9], 1, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var s zfm.Scanner
			got := scanAll(&s, slices.Concat(c.before, good, make([]byte, 300)), 5)
			if len(got) != c.packets || s.WokeUp() != c.wokeUp {
				t.Errorf("%d packets, woke up %t", len(got), s.WokeUp())
			}
			if s.Reset(); s.Skipped() != 0 || s.WokeUp() {
				t.Error("a reset scanner remembers")
			}
		})
	}
}

// Whatever arrives: no panic, the same packets however the stream is cut, each of them really in the stream, and every
// byte either in a packet, skipped, or waiting.
func FuzzPacket(f *testing.F) {
	for _, e := range examples {
		f.Add(wire(f, e.wire), uint8(3))
	}
	f.Add([]byte{0xEF, 0x01, 0xEF, 0x01, 0x00, 0x55}, uint8(1))
	f.Add(append(wire(f, examples[0].wire)[:7], wire(f, examples[1].wire)...), uint8(7))
	f.Fuzz(func(t *testing.T, stream []byte, piece uint8) {
		var whole, cut zfm.Scanner
		packets := scanAll(&whole, stream, len(stream)+1)
		if diff := cmp.Diff(packets, scanAll(&cut, stream, int(piece)+1)); diff != "" {
			t.Fatal(diff)
		}
		rest := stream
		used := whole.Skipped()
		for _, p := range packets {
			encoded := p.Append(nil)
			i := bytes.Index(rest, encoded)
			if i < 0 {
				t.Fatalf("packet % X is not in the stream", encoded)
			}
			rest = rest[i+len(encoded):]
			used += len(encoded)
		}
		if waiting := len(stream) - used; waiting < 0 || waiting > zfm.MaxContent+11 {
			t.Fatalf("%d bytes wait for a packet's end", waiting)
		}
	})
}
