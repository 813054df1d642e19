// Package chart draws for people what package eval measured and what package
// matcher paired:
//
//	err := chart.Verification("plots", result, "fvc2002_db1_b", eval.Peers(dir))
//	err = chart.Identification("plots", identified, "fvc2002_db1_b")
//	err = chart.Match(file, probe, reference, &explanation)
//
// Curves hold rates only and may be published. A drawing of a match shows both
// fingers: it is as personal as their images, and its files are readable by
// their owner only.
package chart
