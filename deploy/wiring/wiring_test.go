package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

// TestDrawings: what lies beside this file is what the table says, and is well-formed.
func TestDrawings(t *testing.T) {
	for _, p := range parts {
		want := p.draw()
		if got, err := os.ReadFile(p.file); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not up to date (%v): go run ./deploy/wiring", p.file, err)
		}
		d := xml.NewDecoder(bytes.NewReader(want))
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", p.file, err)
			}
		}
	}
}

// TestPins: no signal pin is used by two parts that can be in one terminal, and power goes to power.
func TestPins(t *testing.T) {
	user := map[int]string{}
	for _, p := range parts {
		for _, w := range p.wires {
			name := header[w.pin-1]
			if name == "GND" || name == "3V3" || name == "5V" {
				continue
			}
			if other := user[w.pin]; other != "" && !p.option {
				t.Errorf("pin %d is used by %s and %s", w.pin, other, p.title)
			}
			user[w.pin] = p.title
		}
	}
	for _, p := range parts {
		for _, w := range p.wires {
			if ground := strings.HasPrefix(w.contact, "GND") || strings.HasSuffix(w.contact, "-"); ground != (header[w.pin-1] == "GND") {
				t.Errorf("%s: %s is on %s", p.title, w.contact, header[w.pin-1])
			}
		}
	}
	// A sensor's line out goes into the Pi's, and the other way round.
	for _, p := range parts[:2] {
		for _, w := range p.wires {
			if strings.HasPrefix(w.contact, "TXD") && header[w.pin-1] != "GPIO15 RXD" || strings.HasPrefix(w.contact, "RXD") && header[w.pin-1] != "GPIO14 TXD" {
				t.Errorf("%s: %s is on %s", p.title, w.contact, header[w.pin-1])
			}
		}
	}
}
