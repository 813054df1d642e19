// Package matcher compares fingerprints by their minutiae: one template with
// another, or one probe with everybody enrolled.
package matcher
