package eval

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tillprint/tillprint/matcher/iso19794"
	"github.com/tillprint/tillprint/matcher/sample"
	"github.com/tillprint/tillprint/matcher/synth"
)

// A small set of synthetic fingers as pictures, drawn once for all tests.
var fingers = sync.OnceValue(func() map[string][]byte {
	files := make(map[string][]byte)
	for f := range uint64(3) {
		m := synth.NewMaster(f + 1)
		for i := range uint64(3) {
			s := m.Impression(i, synth.Conditions{Rotation: 0.1 * float64(i), ShiftX: float64(5 * i)})
			files[fmt.Sprintf("%d_%d.pgm", 101+f, i+1)] = pgm(s)
		}
	}
	return files
})

func pgm(s *sample.Sample) []byte {
	return append(fmt.Appendf(nil, "P5 %d %d 255\n", s.Width, s.Height), s.Pix...)
}

// folder holds the set and whatever is added to it.
func folder(t *testing.T, extra map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for _, files := range []map[string][]byte{fingers(), extra} {
		for name, data := range files {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

func TestRunOnSyntheticFingers(t *testing.T) {
	blank := pgm(sample.New(300, 300, 500))
	var scores bytes.Buffer
	steps := 0
	o := Options{
		Input: Input{
			Dir:      folder(t, map[string][]byte{"103_4.pgm": blank}),
			Progress: func(done, total int) { steps++ },
		},
		Scores: &scores,
	}
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	// 3 + 3 + 6 genuine pairs, 3×3 + 3×4 + 3×4 impostors, one of ten images blank.
	if r.Genuine != 12 || r.Impostor != 33 || r.FTE != 0.1 {
		t.Errorf("%d genuine, %d impostor, failed to enrol %g", r.Genuine, r.Impostor, r.FTE)
	}
	// The three genuine pairs of the blank image score 0 and can only be missed.
	if r.ZeroFMR != 0.25 || r.FMR1000 != 0.25 {
		t.Errorf("zerofmr %g, fmr1000 %g, want 0.25", r.ZeroFMR, r.FMR1000)
	}
	if r.EERCI95[0] > r.EER || r.EERCI95[1] < r.EER || r.ExtractMSMedian <= 0 || r.MatchUSMedian <= 0 || steps == 0 {
		t.Errorf("%+v after %d steps", r, steps)
	}
	lines := strings.Split(strings.TrimSpace(scores.String()), "\n")
	if lines[0] != "finger_i,impr_i,finger_j,impr_j,score" || len(lines) != 1+45 {
		t.Errorf("%d lines of scores under %q", len(lines), lines[0])
	}
	if !strings.Contains(scores.String(), "\n103,1,103,4,0.0000\n") {
		t.Error("the blank image's pair does not score 0")
	}
	checkNames(t, r, "genuine", "impostor", "fte", "eer", "fmr100", "fmr1000", "zerofmr", "eer_ci95", "extract_ms_median", "match_us_median")
}

// checkNames holds a result's JSON against the contract's names.
func checkNames(t *testing.T, result any, names ...string) {
	t.Helper()
	b, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(b, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if _, there := fields[name]; !there {
			t.Errorf("the result has no %q", name)
		}
	}
}

func TestRunFirstImpostorsThroughASensor(t *testing.T) {
	r, err := Run(t.Context(), Options{Input: Input{Dir: folder(t, nil), Sensor: "R307", Scale: 1.05}, Impostors: "first"})
	if err != nil {
		t.Fatal(err)
	}
	if r.Genuine != 9 || r.Impostor != 3 {
		t.Errorf("%d genuine and %d impostor pairs", r.Genuine, r.Impostor)
	}
}

func TestRunBothWays(t *testing.T) {
	var scores strings.Builder
	o := Options{Input: Input{Dir: folder(t, nil)}, Impostors: "first", BothWays: true, Scores: &scores}
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Genuine != 18 || r.Impostor != 6 {
		t.Errorf("%d genuine and %d impostor pairs", r.Genuine, r.Impostor)
	}
	lines := strings.Split(scores.String(), "\n")
	one, two := strings.Split(lines[1], ","), strings.Split(lines[2], ",")
	if one[0] != two[2] || one[1] != two[3] || one[2] != two[0] || one[3] != two[1] {
		t.Errorf("%q is followed by %q, not by the same pair exchanged", lines[1], lines[2])
	}
}

func TestRunOnTemplates(t *testing.T) {
	dir := t.TempDir()
	for f := range uint64(2) {
		first := synth.Template(f)
		for i := range uint64(2) {
			b, err := iso19794.Marshal(synth.Press(first, i), iso19794.Meta{})
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d_%d.iso", f, i)), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	r, err := Run(t.Context(), Options{Input: Input{Dir: dir, ISO: true}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Genuine != 2 || r.Impostor != 4 || r.EER != 0 || r.ExtractMSMedian != 0 {
		t.Errorf("%+v", r)
	}
}

func TestRunSaysWhatIsWrong(t *testing.T) {
	one := t.TempDir()
	if err := os.WriteFile(filepath.Join(one, "1_1.pgm"), pgm(sample.New(99, 99, 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	good := Input{Dir: one}
	ended, end := context.WithCancel(t.Context())
	end()
	for name, test := range map[string]struct {
		ctx  context.Context
		o    Options
		says string
	}{
		"empty folder":     {t.Context(), Options{Input: Input{Dir: t.TempDir()}}, "no fingerprint pictures"},
		"no folder":        {t.Context(), Options{Input: Input{Dir: filepath.Join(one, "none")}}, "none"},
		"no templates":     {t.Context(), Options{Input: Input{Dir: one, ISO: true}}, "no .iso templates"},
		"one finger":       {t.Context(), Options{Input: good}, "two fingers"},
		"unknown sensor":   {t.Context(), Options{Input: Input{Dir: one, Sensor: "x9"}}, "x9"},
		"absurd scale":     {t.Context(), Options{Input: Input{Dir: one, Scale: 99}}, "scale"},
		"absurd ppi":       {t.Context(), Options{Input: Input{Dir: one, PPI: -5}}, "ppi"},
		"scaled templates": {t.Context(), Options{Input: Input{Dir: one, ISO: true, Scale: 1.1}}, "scale"},
		"impostors":        {t.Context(), Options{Input: good, Impostors: "some"}, "first or all"},
		"cancelled":        {ended, Options{Input: good}, "cancel"},
	} {
		if _, err := Run(test.ctx, test.o); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIdentifyOnSyntheticFingers(t *testing.T) {
	r, err := Identify(t.Context(), IdentifyOptions{Input: Input{Dir: folder(t, nil)}, Enrol: 2, Distractors: 60})
	if err != nil {
		t.Fatal(err)
	}
	if r.Gallery != 66 || r.Mated != 3 || r.NonMated != 3 || r.FPIRBound != 1 {
		t.Errorf("%+v", r)
	}
	if r.Rank1 != 1 || r.FNIR01 != 0 || r.Wrong != 0 {
		t.Errorf("clear fingers were not told apart: %+v", r)
	}
	checkNames(t, r, "fnir_at_fpir_0.1", "fnir_at_fpir_0.01", "fnir_at_fpir_0.001", "rank1", "search_ms_p50", "search_ms_p99", "gallery")
	if _, err := Identify(t.Context(), IdentifyOptions{Input: Input{Dir: folder(t, nil)}, Enrol: 3}); err == nil || !strings.Contains(err.Error(), "enrol fewer") {
		t.Errorf("with every impression enrolled: %v", err)
	}
	if _, err := Identify(t.Context(), IdentifyOptions{}); err == nil {
		t.Error("enrolling nothing is no error")
	}
}

func TestIdentifyJoinsFingers(t *testing.T) {
	r, err := Identify(t.Context(), IdentifyOptions{Input: Input{Dir: folder(t, nil)}, Enrol: 2, FingersPerSubject: 2})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]int{}
	for _, s := range r.Subjects {
		names[s.Subject] = s.Searches
	}
	if len(names) != 2 || names["101+102"] != 2 || names["103"] != 1 {
		t.Errorf("subjects %v", names)
	}
	if r.Rank1 != 1 || r.FoundEither < r.Found || r.Gallery != 6 || r.MissedCI95[0] > 1-r.Found || r.MissedCI95[1] < 1-r.Found {
		t.Errorf("%+v", r)
	}
	if r.Real.Pairs != 27 || r.Synthetic.Pairs != 0 || r.Real.Most < r.Real.P50 {
		t.Errorf("real impostors %+v, synthetic %+v", r.Real, r.Synthetic)
	}
}

// What interchange rounds away may not make a finger another.
func TestRunThroughISO(t *testing.T) {
	r, err := Run(t.Context(), Options{Input: Input{Dir: folder(t, nil), ThroughISO: true}})
	if err != nil {
		t.Fatal(err)
	}
	if r.EER != 0 || r.FTE != 0 {
		t.Errorf("%+v", r.Rates)
	}
}

func TestBench(t *testing.T) {
	r, err := Bench(t.Context(), BenchOptions{Gallery: 100, Searches: 3, Runs: 1, CountLost: true})
	if err != nil {
		t.Fatal(err)
	}
	if r.Found != 1 || r.NSPerTemplate <= 0 || r.BytesPerTemplate <= 0 || r.MeanMinutiae < 20 {
		t.Errorf("%+v", r)
	}
	if r.Lost == nil || r.Lost.Lost > 0 || r.Lost.FoundFully != 3 {
		t.Errorf("lost: %+v", r.Lost)
	}
	if r.Writes.Count == 0 || r.Writes.AddMSP50 <= 0 {
		t.Errorf("writes: %+v", r.Writes)
	}
	checkNames(t, r, "ns_per_template", "search_ms_p50", "search_ms_p99", "bytes_per_template", "rss_mib", "cores")
}

func TestRates(t *testing.T) {
	// Genuine 9 7 5 3, impostors 6 4 2 1: by hand.
	scores := []pairScore{
		{score: 9}, {score: 7}, {fingerJ: 1, score: 6}, {fingerI: 1, fingerJ: 1, score: 5},
		{fingerJ: 1, score: 4}, {fingerI: 1, fingerJ: 1, score: 3}, {fingerJ: 1, score: 2}, {fingerJ: 1, score: 1},
	}
	sortScores(scores)
	got := rates(scores, func(*pairScore) float64 { return 1 })
	want := Rates{EER: 0.25, FMR100: 0.5, FMR1000: 0.5, ZeroFMR: 0.5}
	for _, pair := range [][2]float64{{got.EER, want.EER}, {got.FMR100, want.FMR100}, {got.FMR1000, want.FMR1000}, {got.ZeroFMR, want.ZeroFMR}} {
		if math.Abs(pair[0]-pair[1]) > 1e-12 {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	}
	// Equal scores on both sides cannot be told apart by any threshold.
	tied := []pairScore{{score: 5}, {fingerJ: 1, score: 5}}
	if got := rates(tied, func(*pairScore) float64 { return 1 }); got.EER != 0.5 || got.ZeroFMR != 1 {
		t.Errorf("tied scores: %+v", got)
	}
}

func TestFNIR(t *testing.T) {
	trial := trial{own: []float64{-1, 3, 8, 9}, others: []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}
	for fpir, want := range map[float64]float64{0: 1, 0.1: 1, 0.2: 0.75, 0.8: 0.25} {
		if got := trial.fnir(fpir); got != want {
			t.Errorf("at FPIR %g FNIR is %g, want %g", fpir, got, want)
		}
	}
}
