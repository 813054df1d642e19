package eval

import (
	"testing"
	"time"
)

// A scan is decided on the way, no more wrongly than at its end, and the figures of
// both are told.
func TestScanDecidesOnTheWay(t *testing.T) {
	o := ScanOptions{Input: Input{Dir: folder(t, nil), Sensor: "r307"}, Enrol: 2, Distractors: 30}
	r, err := Scan(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Scans != 3 || r.Strangers != 3 || r.Gallery != 36 {
		t.Fatalf("%+v", r)
	}
	if r.Wrong > r.WrongWhole || r.Undecided > r.UndecidedWhole || r.UndecidedWhole > 0 {
		t.Errorf("worse than whole images: %+v", r)
	}
	if r.Early == 0 || r.RowsP50 >= 1 || r.RowsP50 < 0.4 || r.RowsP95 < r.RowsP50 || r.RowsUsedP50 > r.RowsP50 || r.RowsUsedP50 < 0.4 {
		t.Errorf("nothing was decided on the way: %+v", r)
	}
	if r.DecisionMS >= r.DecisionMSWhole || r.ComputeMS <= 0 || r.ComputeMSWhole <= 0 {
		t.Errorf("times: %+v", r)
	}
}

// A processor so slow that a look takes longer than the rest of the image decides
// at the end, not in the past.
func TestScanOnASlowProcessor(t *testing.T) {
	var clock time.Time
	o := ScanOptions{Input: Input{Dir: folder(t, nil), Sensor: "r503",
		Now: func() time.Time { clock = clock.Add(20 * time.Millisecond); return clock }}, Enrol: 2}
	r, err := Scan(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if whole := 192 * 40.0; r.Early > 0 || r.RowsP50 != 1 || r.DecisionMS < whole/2 {
		t.Errorf("%+v: rows take 20 ms each, 8 ms on the wire, and looks nothing saved", r)
	}
}

func TestScanRefuses(t *testing.T) {
	for name, o := range map[string]ScanOptions{
		"no sensor":         {Input: Input{Dir: t.TempDir()}},
		"unknown sensor":    {Input: Input{Dir: t.TempDir(), Sensor: "r9000"}},
		"empty folder":      {Input: Input{Dir: t.TempDir(), Sensor: "r503"}},
		"a slow wire":       {Input: Input{Dir: t.TempDir(), Sensor: "r503"}, Baud: 10},
		"templates":         {Input: Input{Dir: t.TempDir(), Sensor: "r503", ISO: true}},
		"nothing to search": {Input: Input{Dir: folder(t, nil), Sensor: "r503"}, Enrol: 9},
	} {
		if _, err := Scan(t.Context(), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Rows arrive with the packet that their last byte is in: an R503's whole image of
// 18,432 bytes takes 144 packets of 139 bytes.
func TestArrival(t *testing.T) {
	p := &player{o: ScanOptions{Baud: 115_200}}
	if got, want := p.arrival(191, 192), time.Duration(144*139*10)*time.Second/115_200; got != want {
		t.Errorf("the last row arrives after %v, want %v", got, want)
	}
	if p.arrival(0, 192) != p.arrival(0, 100) || p.arrival(0, 192) >= p.arrival(1, 192) {
		t.Error("rows do not arrive with their packets")
	}
}
