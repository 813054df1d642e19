package board

import (
	"bytes"
	"regexp"
	"strings"
)

// Our lines stand in a block of their own at the end of config.txt, where they
// win over what stands before them, and are found again.
const (
	blockBegin = "# tillprint: begin (written by 'tillprintd setup'; put nothing of your own in here)"
	blockEnd   = "# tillprint: end"
)

// block gives the header's UART to the sensor on every board that there is: one
// card works in all of them. A Pi 5 has a UART of its own for the header and
// another for Bluetooth; on the others Bluetooth gives way, since the small UART
// that would be left for the sensor changes its speed with the processor's.
const block = blockBegin + `
[pi5]
dtparam=uart0=on
[pi4]
enable_uart=1
dtoverlay=disable-bt
[pi3]
enable_uart=1
dtoverlay=disable-bt
[pi0]
enable_uart=1
dtoverlay=disable-bt
[all]
dtparam=i2c_arm=on
dtparam=spi=on
` + blockEnd + "\n"

// contrary are lines that would undo the block: they are kept as comments.
var contrary = regexp.MustCompile(`^(enable_uart=0|dtparam=(i2c|i2c_arm|spi|uart0)=off|dtoverlay=(pi3-)?miniuart-bt)\b`)

// disabled stands before a line that was switched off.
const disabled = "#tillprint# "

func editConfig(before []byte) []byte {
	text := string(before)
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	var after strings.Builder
	for line := range strings.Lines(withoutBlock(text)) {
		if contrary.MatchString(strings.TrimSpace(line)) {
			after.WriteString(disabled)
		}
		after.WriteString(line)
	}
	return []byte(after.String() + block)
}

// withoutBlock takes out our block, or what an earlier release wrote as one. A
// block without an end is somebody's accident: only its first line goes.
func withoutBlock(text string) string {
	for {
		begin := strings.LastIndex(text, blockBegin+"\n")
		if begin < 0 {
			return text
		}
		rest := text[begin+len(blockBegin)+1:]
		if _, after, ended := strings.Cut(rest, blockEnd+"\n"); ended {
			rest = after
		}
		text = text[:begin] + rest
	}
}

// console is a kernel console, or a debugger, on the header's UART. That of a
// Pi 5's debug connector, ttyAMA10, is in nobody's way.
var console = regexp.MustCompile(`^(console|kgdboc)=(serial0|ttyAMA0|ttyS0)(,.*)?$`)

// editCmdline works on the first line: the firmware reads no other.
func editCmdline(before []byte) []byte {
	line, rest, cut := bytes.Cut(before, []byte("\n"))
	var kept []string
	changed := false
	for _, word := range strings.Fields(string(line)) {
		if console.MatchString(word) {
			changed = true
			continue
		}
		kept = append(kept, word)
	}
	if !changed {
		return before
	}
	after := []byte(strings.Join(kept, " "))
	if cut {
		after = append(append(after, '\n'), rest...)
	}
	return after
}
