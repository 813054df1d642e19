package chart

import (
	"bytes"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/plot/plotter"

	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/eval"
	"github.com/tillprint/tillprint/matcher/extract"
	"github.com/tillprint/tillprint/matcher/sample"
	"github.com/tillprint/tillprint/matcher/synth"
)

// charts checks that dir holds each chart as a PNG that decodes and as an SVG
// that says words.
func charts(t *testing.T, dir string, says map[string]string) {
	t.Helper()
	for name, words := range says {
		f, err := os.Open(filepath.Join(dir, name+".png"))
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := png.DecodeConfig(f); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		f.Close()
		b, err := os.ReadFile(filepath.Join(dir, name+".svg"))
		if err != nil || !strings.Contains(string(b), words) {
			t.Errorf("%s.svg does not say %q: %v", name, words, err)
		}
	}
}

func TestVerification(t *testing.T) {
	r := &eval.Result{GenuineScores: []float64{0, 3, 20, 30}, ImpostorScores: []float64{0, 0, 1, 2, 4}}
	r.EER, r.Tail = 0.125, eval.Tail{Pairs: 5, Bound: 0.6, Threshold: 17, Gallery: 2400}
	dir := filepath.Join(t.TempDir(), "new")
	peers := eval.Peers("elsewhere/fvc2002_db3_b/")
	if len(peers) != 7 || peers[1].EER != 0.114 {
		t.Errorf("peers %v", peers)
	}
	if err := Verification(dir, r, "some fingers", peers); err != nil {
		t.Fatal(err)
	}
	charts(t, dir, map[string]string{"det": "SourceAFIS + MCC", "scores": "some fingers"})
	if err := Verification(dir, &eval.Result{}, "", nil); err == nil {
		t.Error("charts of nothing are drawn")
	}
	if eval.Peers("other") != nil {
		t.Error("a set that nobody measured has peers")
	}
}

func TestIdentification(t *testing.T) {
	r := &eval.IdentifyResult{Own: []float64{-1, 8, 20}, Others: []float64{1, 2, 9}, NonMated: 3, Mated: 3, FPIRBound: 1, Found: 1.0 / 3}
	dir := t.TempDir()
	if err := Identification(dir, r, 1e-3, "some fingers"); err != nil {
		t.Fatal(err)
	}
	charts(t, dir, map[string]string{"fnir-fpir": "the policy", "searches": "not enrolled"})
}

func TestTradeoff(t *testing.T) {
	got := tradeoff([]float64{1, 5, 9, 10}, []float64{0, 2, 2, 6})
	want := plotter.XYs{{X: 1, Y: 0.125}, {X: 0.75, Y: 0.25}, {X: 0.25, Y: 0.5}, {X: 0.125, Y: 0.5}}
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("point %d is %v, want %v", i, got[i], want[i])
		}
	}
}

// One finger pressed twice, the second time turned: laid over each other the
// ridges must meet far more often than under a movement that is wrong.
func TestMatchLaysRidgesOverEachOther(t *testing.T) {
	m := synth.NewMaster(5)
	probe := read(t, m.Impression(1, synth.Conditions{Rotation: 0.3, ShiftX: 10}))
	reference := read(t, m.Impression(2, synth.Conditions{}))
	p, err := matcher.Prepare(probe.Template)
	if err != nil {
		t.Fatal(err)
	}
	q, err := matcher.Prepare(reference.Template)
	if err != nil {
		t.Fatal(err)
	}
	e := matcher.Explain(p, q)
	wrong := e
	wrong.Turned += math.Pi / 2
	if right, other := met(probe, reference, &e), met(probe, reference, &wrong); 10*right < 13*other {
		t.Errorf("ridges meet on %d pixels, under a wrong movement on %d", right, other)
	}
	var out bytes.Buffer
	if err := Match(&out, probe, reference, &e); err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(&out); err != nil {
		t.Error(err)
	}
}

func read(t *testing.T, s *sample.Sample) Print {
	t.Helper()
	found, err := extract.New().Extract(s)
	if err != nil {
		t.Fatal(err)
	}
	return Print{s, found}
}

// met counts the pixels on which both prints have a ridge.
func met(probe, reference Print, e *matcher.Explanation) (n int) {
	over := laidOver(probe.Image, reference.Image, e)
	for y := range over.Rect.Dy() {
		for x := range over.Rect.Dx() {
			if c := over.At(x, y).(color.NRGBA); c.R < 100 && c.B < 100 {
				n++
			}
		}
	}
	return n
}
