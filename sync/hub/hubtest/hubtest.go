// Package hubtest does at a hub what tests of other packages need done there.
package hubtest

import (
	"context"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/hub"
	"github.com/tillprint/tillprint/sync/register"
)

// Commission takes a terminal through both steps, with references that a test school has on record. notice is a version of
// the parents' notice that counts there.
func Commission(ctx context.Context, h *hub.Hub, site, terminal, notice string) error {
	for _, mode := range register.Modes[1:] {
		if err := h.Commission(ctx, site, "office", terminal, register.Commission{Mode: mode, References: References(mode, notice)}); err != nil {
			return err
		}
	}
	return nil
}

// References are references for all that a mode needs.
func References(mode register.Mode, notice string) []register.Reference {
	var all []register.Reference
	for _, need := range mode.Needs() {
		r := register.Reference{For: need, Text: "test " + string(need), On: consent.Date{Year: 2026, Month: 9, Day: 1}, By: "governors"}
		if need == register.ParentsNotice {
			r.Text = notice
		}
		all = append(all, r)
	}
	return all
}
