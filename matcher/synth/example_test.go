package synth_test

import (
	"fmt"

	"github.com/tillprint/tillprint/matcher/sample"
	"github.com/tillprint/tillprint/matcher/synth"
)

// A finger that nobody has is pressed on an R503.
func Example() {
	m := synth.NewMaster(42)
	s := m.Impression(1, synth.RandomConditions(1))
	defer s.Clear()
	seen := sample.R503.Press(s)
	fmt.Println(m.Class(), seen.Width, seen.Height, seen.PPI)
	// Output: left loop 192 192 508
}
