package demo

import (
	"fmt"
	"hash/fnv"

	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/sample"
	"github.com/tillprint/tillprint/matcher/synth"
)

// A finger can be pressed onto a simulated sensor's glass. Each press is an
// image; the same number gives the same image.
type finger interface {
	name() string
	presses() int // how many different presses there are
	press(n int) (*sample.Sample, error)
}

// grown is a synthetic finger: it can be pressed as often as one likes, each
// time a little differently.
type grown struct {
	master *synth.Master
	seed   uint64
}

func (g grown) name() string { return fmt.Sprintf("synthetic %d", g.seed) }
func (g grown) presses() int { return 1 << 20 }

func (g grown) press(n int) (*sample.Sample, error) {
	seed := g.seed<<20 | uint64(n)
	return g.master.Impression(seed, synth.RandomConditions(seed)), nil
}

// pictured is a finger of which a folder holds images, in the order of their
// impression numbers.
type pictured struct {
	label string
	files []sample.File
}

func (p pictured) name() string { return p.label }
func (p pictured) presses() int { return len(p.files) }

func (p pictured) press(n int) (*sample.Sample, error) {
	s, err := sample.ReadFile(p.files[n%len(p.files)].Path)
	if err != nil {
		return nil, err
	}
	if s.PPI == 0 {
		s.PPI = matcher.PPI
	}
	return s, nil
}

// fingersOf reads the names in dir and groups them by finger.
func fingersOf(dir string) ([]finger, error) {
	files, err := sample.List(dir)
	if err != nil {
		return nil, err
	}
	var all []finger
	for start := 0; start < len(files); {
		end := start
		for end < len(files) && files[end].Finger == files[start].Finger {
			end++
		}
		if end-start < enrolPresses+1 {
			return nil, fmt.Errorf("finger %s in %s has %d impressions; the demo enrols %d and presses the others, so it needs at least %d",
				files[start].Finger, dir, end-start, enrolPresses, enrolPresses+1)
		}
		all = append(all, pictured{label: files[start].Finger, files: files[start:end]})
		start = end
	}
	return all, nil
}

// grow makes n synthetic fingers.
func grow(n int, progress func(done int)) []finger {
	all := make([]finger, n)
	for i := range all {
		all[i] = grown{master: synth.NewMaster(uint64(i) + 1), seed: uint64(i) + 1}
		progress(i + 1)
	}
	return all
}

// enrolPresses is how many presses the till asks for.
const enrolPresses = 3

// crowdSeed is the seed of a crowd pupil's synthetic template: far from the
// seeds of the fingers that are pressed.
func crowdSeed(subject string, finger uint8) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s/%d", subject, finger)
	return h.Sum64()
}
