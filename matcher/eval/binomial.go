package eval

import "math"

// shareInterval is the exact 95 % interval of Clopper and Pearson ("The use of
// confidence or fiducial limits illustrated in the case of the binomial",
// Biometrika 1934) for the share of which k of n trials were counted. It takes
// trials for independent; searches of one finger are not quite, so that the
// truth is somewhat wider. Without trials it is 0 to 1.
func shareInterval(k, n int) [2]float64 {
	if n == 0 {
		return [2]float64{0, 1}
	}
	ci := [2]float64{0, 1}
	if k > 0 { // the share at which k or more are seen in 2.5 % of trials
		ci[0] = solve(func(p float64) bool { return 1-atMost(k-1, n, p) > 0.025 })
	}
	if k < n { // the share at which k or fewer are seen in 2.5 % of trials
		ci[1] = solve(func(p float64) bool { return atMost(k, n, p) < 0.025 })
	}
	return ci
}

// solve bisects 0 to 1 for where holds turns from false to true.
func solve(holds func(p float64) bool) float64 {
	lo, hi := 0.0, 1.0
	for range 50 {
		if mid := (lo + hi) / 2; holds(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return (lo + hi) / 2
}

// atMost is the probability of at most k successes in n trials of probability
// p, which is above 0 and below 1.
func atMost(k, n int, p float64) (sum float64) {
	whole, _ := math.Lgamma(float64(n + 1))
	for i := range k + 1 {
		a, _ := math.Lgamma(float64(i + 1))
		b, _ := math.Lgamma(float64(n - i + 1))
		sum += math.Exp(whole - a - b + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return sum
}
