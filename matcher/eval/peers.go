package eval

import (
	"path/filepath"
	"strings"
)

// A Peer is another extractor and matcher, measured.
type Peer struct {
	Name    string
	EER     float64 // fractions
	FMR1000 float64
}

// Peers are others' rates on the same images: all 280 genuine and all 2,880
// impostor pairs of a set B of the Fingerprint Verification Competitions, whole
// images, measured with the programs' releases and not taken from papers. dir
// is the folder of the set, known by its name; other folders have no peers.
// "closed" is another maker's extractor, whose templates came from the same
// images squashed to 300x400 pixels.
func Peers(dir string) []Peer {
	column := -1
	for i, set := range []string{"fvc2002_db1_b", "fvc2002_db3_b", "fvc2004_db2_b"} {
		if strings.EqualFold(filepath.Base(filepath.Clean(dir)), set) {
			column = i
		}
	}
	if column < 0 {
		return nil
	}
	peers := make([]Peer, 0, len(peerRates))
	for _, p := range peerRates {
		peers = append(peers, Peer{p.name, p.rates[column][0] / 100, p.rates[column][1] / 100})
	}
	return peers
}

// EER and FMR1000 in percent on the three sets.
var peerRates = []struct {
	name  string
	rates [3][2]float64
}{
	{"NBIS mindtct + bozorth3", [3][2]float64{{4.2, 11.1}, {7.9, 28.2}, {14.1, 38.2}}},
	{"SourceAFIS", [3][2]float64{{3.0, 5.7}, {11.4, 27.5}, {12.3, 22.5}}},
	{"FingerJetFX + MCC", [3][2]float64{{1.1, 2.9}, {11.1, 26.8}, {12.1, 32.5}}},
	{"SourceAFIS + MCC", [3][2]float64{{2.3, 2.9}, {10.7, 23.2}, {10.7, 22.9}}},
	{"closed + SourceAFIS", [3][2]float64{{3.6, 8.2}, {6.1, 18.6}, {10.7, 22.5}}},
	{"closed + MCC", [3][2]float64{{3.0, 10.0}, {6.8, 23.9}, {8.0, 28.6}}},
	{"closed + OpenAFIS", [3][2]float64{{5.8, 14.3}, {14.7, 36.1}, {14.0, 30.0}}},
}
