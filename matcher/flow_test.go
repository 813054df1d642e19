package matcher

import (
	"encoding/hex"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// swirl is a flow without any finger: directions that turn along x.
func swirl(width, height int, turnsAPixel, turned float64) []uint8 {
	columns, rows := FlowSize(width, height)
	cells := make([]uint8, columns*rows)
	for i := range cells {
		cells[i] = FlowValue(tau*turnsAPixel*(float64(i%columns)+0.5)*FlowCell + turned)
	}
	return cells
}

func TestFlowValues(t *testing.T) {
	for v := uint8(1); v <= FlowDirections; v++ {
		for _, turns := range []float64{-3, 0, 1, 4} {
			if got := FlowValue(FlowAngle(v) + turns*math.Pi); got != v {
				t.Errorf("direction %d and %g half turns give %d", v, turns, got)
			}
		}
	}
}

// Bytes that a release before the ridge flow wrote are read, and written alike.
func TestStoredBeforeTheFlow(t *testing.T) {
	old, err := hex.DecodeString("544d014600640050" + "01" + "00a00140400001" + "3c")
	if err != nil {
		t.Fatal(err)
	}
	var read Template
	if err := read.UnmarshalBinary(old); err != nil {
		t.Fatal(err)
	}
	want := Template{Width: 100, Height: 80, Quality: 70, Minutiae: []Minutia{{X: 10, Y: 20, Angle: math.Pi / 2, Kind: Ending, Quality: 60}}}
	if diff := cmp.Diff(want, read); diff != "" {
		t.Fatal(diff)
	}
	again, err := read.MarshalBinary()
	if err != nil || !slices.Equal(again, old) {
		t.Errorf("written again: %x, %v", again, err)
	}
	later := slices.Clone(old)
	later[2] = 4
	if err := read.UnmarshalBinary(later); err == nil {
		t.Error("a later version is read as if it were known")
	}
}

func TestFlowsAgreeUnderTheMovement(t *testing.T) {
	probe := flow{15, 15, FlowCell, swirl(360, 360, 0.002, 0)}
	still := movement{cos: 1}
	if f := compareFlows(&probe, &probe, &still); f.cells != 225 || f.off != 0 {
		t.Errorf("a flow with itself: %+v", f)
	}
	// Turned about the origin by a quarter, counter-clockwise as seen, and
	// shifted back into the picture.
	quarter := movement{sin: 1, dy: 360, turned: storedTurn / 4}
	turned := flow{15, 15, FlowCell, make([]uint8, 225)}
	for i := range turned.cells {
		x, y := quarter.back((float32(i%15)+0.5)*FlowCell, (float32(i/15)+0.5)*FlowCell)
		turned.cells[i] = FlowValue(FlowAngle(probe.at(x, y)) + math.Pi/2)
	}
	if f := compareFlows(&probe, &turned, &quarter); f.cells != 225 || f.off > 0.02 {
		t.Errorf("the turned flow: %+v", f)
	}
	if f := compareFlows(&probe, &turned, &still); f.off < 0.2 {
		t.Errorf("without the turn: %+v", f)
	}
	if f := compareFlows(&probe, &flow{}, &still); f != (flowMatch{}) {
		t.Errorf("without a flow: %+v", f)
	}
}

// The flow raises mates and lowers strangers; against a template without one it
// says nothing.
func TestFlowIsEvidence(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	made := finger(3)
	again := press(made, r, 0, 0, 0, 0.4)
	made.Flow, again.Flow = swirl(360, 400, 0.002, 0), swirl(360, 400, 0.002, 0)
	with := Score(mustPrepare(t, again), mustPrepare(t, made))
	again.Flow = swirl(360, 400, -0.003, 1.2)
	against := Score(mustPrepare(t, again), mustPrepare(t, made))
	again.Flow = nil
	without := Score(mustPrepare(t, again), mustPrepare(t, made))
	if !(with > without && without > 0 && with > against+3) {
		t.Errorf("scores with the flow %.1f, without %.1f, with another's %.1f", with, without, against)
	}
}

// A gallery keeps the flow: what it scores is what Score gives.
func TestGalleryKeepsFlow(t *testing.T) {
	made := finger(3)
	made.Flow = swirl(360, 400, 0.002, 0)
	e := kept("p", made)
	c := newChunk([]entry{kept("o", finger(4)), e, kept("o", finger(5))})
	var p Prepared
	for i, want := range [][]uint8{nil, made.Flow, nil} {
		e := c.at(i)
		p.unpackInto(&e)
		if !slices.Equal(p.flow.cells, want) {
			t.Errorf("template %d has the flow %v, want %v", i, p.flow.cells, want)
		}
	}
	c.clear()
	if c.flows != nil {
		t.Error("a cleared chunk still has flows")
	}
}

func TestGrowTakesTheFlowAlong(t *testing.T) {
	made := &Template{Width: 240, Height: 240, Flow: make([]uint8, 100)}
	made.Flow[55] = 4 // its middle at 132, 132
	made.Grow(1.2)
	grown := made.flow()
	if v := grown.at(130*1.2, 130*1.2); made.Validate() != nil || v != 4 {
		t.Errorf("%v, direction %d", made.Validate(), v)
	}
}
