package main

import (
	"bytes"
	"fmt"
	"html"
)

// Measures of a drawing, in pixels.
const (
	width    = 760
	top      = 84
	pitch    = 24  // between two pins
	boxLeft  = 20  // of the part
	boxRight = 270 //
	pinLeft  = 560 // of the header's odd pins
	pinGap   = 40  // to the even ones
)

// draw is the part on the left, the header on the right as one looks onto the
// board with the header's pin 1 at the upper left, and the wires between.
func (p part) draw() []byte {
	var b bytes.Buffer
	height := top + 20*pitch + 20
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13" role="img" aria-label="%s">
<rect width="100%%" height="100%%" fill="#fff"/>
<text x="20" y="28" font-size="18" font-weight="bold">%s</text>
`, width, height, html.EscapeString(p.title), html.EscapeString(p.title))
	for i, note := range p.notes {
		fmt.Fprintf(&b, "<text x=\"20\" y=\"%d\" fill=\"#444\">%s</text>\n", 48+17*i, html.EscapeString(note))
	}
	p.drawHeader(&b)
	p.drawWires(&b)
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// drawHeader draws all pins; those in use are filled.
func (p part) drawHeader(b *bytes.Buffer) {
	used := map[int]bool{}
	for _, w := range p.wires {
		used[w.pin] = true
	}
	fmt.Fprintf(b, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#eee\" stroke=\"#888\"/>\n", pinLeft-16, top-6, pinGap+32, 20*pitch)
	for pin := 1; pin <= len(header); pin++ {
		x, y := place(pin)
		fill, weight := "#fff", "normal"
		if used[pin] {
			fill, weight = "#fc6", "bold"
		}
		fmt.Fprintf(b, "<circle cx=\"%d\" cy=\"%d\" r=\"9\" fill=\"%s\" stroke=\"#666\"/><text x=\"%d\" y=\"%d\" font-size=\"9\" text-anchor=\"middle\">%d</text>\n", x, y, fill, x, y+3, pin)
		label, anchor := pinLeft-20, "end"
		if pin%2 == 0 {
			label, anchor = pinLeft+pinGap+20, "start"
		}
		fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\" font-size=\"11\" font-weight=\"%s\" text-anchor=\"%s\">%s</text>\n", label, y+4, weight, anchor, header[pin-1])
	}
}

// place is where a pin stands.
func place(pin int) (x, y int) {
	return pinLeft + (1-pin%2)*pinGap, top + 6 + (pin-1)/2*pitch
}

// drawWires draws the part's box and its wires, each with a lane of its own between box and header, and half a pitch
// above the pins it passes.
func (p part) drawWires(b *bytes.Buffer) {
	fmt.Fprintf(b, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\" fill=\"#f4f8ff\" stroke=\"#336\"/>\n", boxLeft, top+20, boxRight-boxLeft, len(p.wires)*2*pitch)
	for i, w := range p.wires {
		y := top + 20 + pitch + i*2*pitch
		x, pinY := place(w.pin)
		lane := boxRight + 30 + i*18
		text := w.contact
		if w.via != "" {
			text += ", through " + w.via
		}
		fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\">%s</text>\n", boxLeft+12, y+4, html.EscapeString(text))
		fmt.Fprintf(b, "<path d=\"M%d %d H%d V%d H%d L%d %d\" fill=\"none\" stroke=\"%s\" stroke-width=\"2.5\"/>\n",
			boxRight, y, lane, pinY-pitch/2, x-9, x-4, pinY-8, w.colour)
	}
}
