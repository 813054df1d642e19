package hub

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/pin"
)

// PINFit says whose PINs were drawn at a cost that does not fit the site's terminals as they are now. A verifier keeps the cost that
// it was made with, and cannot be made anew without the digits, which nobody has: such PINs are drawn anew.
type PINFit struct {
	Now   Cost                // of a PIN that is drawn now
	PINs  int                 // how many there are
	Cheap []consent.SubjectID // in the order of their pseudonyms, as those of Slow; a check takes less than 300 ms at every terminal, as of a school that was imported before its first one joined
	Slow  []consent.SubjectID // a check takes more than 500 ms at the slowest terminal, which has joined since
}

// Outdated are those of both kinds, in the order of their pseudonyms.
func (f PINFit) Outdated() []consent.SubjectID {
	return slices.Sorted(slices.Values(slices.Concat(f.Cheap, f.Slow)))
}

func (f PINFit) String() string {
	return fmt.Sprintf("Of %d PINs, %d are cheaper to try out than the tills allow by now, and %d take more than half a second to check at the slowest till.",
		f.PINs, len(f.Cheap), len(f.Slow))
}

// PINFit compares all PINs of a site with what one costs that is drawn now.
func (h *Hub) PINFit(ctx context.Context, site string) (f PINFit, err error) {
	if _, err := h.Site(ctx, site); err != nil {
		return f, err
	}
	if f.Now, err = h.pinCost(ctx, site); err != nil {
		return f, err
	}
	err = each(ctx, h.db, func(r *sql.Rows) error {
		var id consent.SubjectID
		var phc string
		if err := r.Scan(&id, &phc); err != nil {
			return err
		}
		f.PINs++
		switch c, _, _, err := parsePHC(phc); {
		case err != nil || pin.Cost(c).TooCheap(pin.Cost(f.Now)): // what cannot be read does not verify, and is drawn anew like the others
			f.Cheap = append(f.Cheap, id)
		case pin.Cost(c).TooSlow(pin.Cost(f.Now)):
			f.Slow = append(f.Slow, id)
		}
		return nil
	}, `SELECT subject, pin_verifier FROM subjects WHERE site = $1 AND pin_index IS NOT NULL`, site)
	if err != nil {
		return f, fmt.Errorf("comparing the PINs with the terminals: %w", err)
	}
	slices.Sort(f.Cheap)
	slices.Sort(f.Slow)
	return f, nil
}
