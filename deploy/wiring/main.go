// Command wiring draws the wiring diagrams of the technician's manual, one SVG
// for each part, from one table: what is drawn and what is tested (no pin twice,
// the pins that the example configuration names) cannot drift apart.
//
//	go run ./deploy/wiring -out deploy/wiring
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	out := flag.String("out", "deploy/wiring", "the folder for the drawings")
	flag.Parse()
	for _, p := range parts {
		if err := os.WriteFile(filepath.Join(*out, p.file), p.draw(), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "wiring:", err)
			os.Exit(1)
		}
	}
}
