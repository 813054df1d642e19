// Package custody keeps the matcher's gallery and the sealed store in step, so that what is matched is what may be
// matched (invariant I1).
//
// A [Custody] owns the gallery's writes. What narrows acts on the gallery first and at once, before anything is
// written; what widens is written first. Wherever it stops, the gallery therefore holds no more than the store permits.
//
//	c, err := custody.Open(st, gallery)
//	err = c.Load(ctx)                        // at boot, before the sensor is used
//	receipts, err := c.Apply(ctx, changes, seq, head)
//	ok, rows := c.Permitted(subject, now)    // before a match is acted upon
//	swept, err := c.Sweep(ctx)               // every few minutes: dates
//
// [Custody.Fingers] tells whether fingers may be used at this terminal at all: within the lease (D3, I7), not blocked, not a
// site without biometrics (A16). Everything else goes on without it. Nothing here widens a decision of the hub's (I9).
package custody
