package sample_test

import (
	"fmt"
	"strings"

	"github.com/tillprint/tillprint/matcher/sample"
)

// A picture is read and shown as an R307 would see it.
func Example() {
	s, err := sample.Decode(strings.NewReader("P2 3 1 255  0 128 255"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Clear()
	fmt.Println(s.Width, s.Height, s.PPI, s.Pix)
	if s.PPI == 0 {
		s.PPI = 500 // the file did not say
	}
	seen := sample.R307.Press(s)
	fmt.Println(seen.Width, seen.Height, seen.PPI)
	// Output:
	// 3 1 0 [0 128 255]
	// 256 288 500
}
