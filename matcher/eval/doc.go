// Package eval measures error rates and speed on folders of fingerprints, the
// way the field does, so that figures can be held against others'.
//
// [Run] is verification by the protocol of the Fingerprint Verification
// Competitions (Maio, Maltoni, Cappelli, Wayman, Jain, "FVC2002: second
// fingerprint verification competition", ICPR 2002): every impression of a
// finger against every later one of it (genuine, i<j, without the symmetric
// pair), and either the first impressions of all fingers (impostors, "first")
// or all impressions of different fingers (impostors, "all") against each
// other. [Identify] is identification as ISO/IEC 19795-1 words it: FNIR at
// FPIR, with each finger also searched while it is not enrolled. [Bench] is
// the speed of a search.
//
// Beside the rates stand how far the data carries them: exact or bootstrap
// intervals, the rule of three, and the impostor scores' tail ([Tail]) at the
// threshold that a gallery asks for; real impostors' scores beside those of
// distractors ([Spread]); and who should be enrolled again ([Finger],
// [Subject]). Package chart draws it all.
//
// An image that cannot be enrolled is never left out: its pairs score 0. Rates
// are fractions. Confidence intervals resample fingers, not pairs, because
// pairs of one finger hang together.
//
// Results are plain structs whose JSON names are a contract with tools outside
// the repository. No image or template leaves the package; score lists do,
// where Options.Scores asks for them.
package eval
