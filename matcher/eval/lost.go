package eval

import (
	"context"

	"github.com/tillprint/tillprint/matcher"
)

// Lost says what the first stage of a search costs: the same searches of
// enrolled fingers done once more with every template compared fully.
type Lost struct {
	FoundFully int        `json:"found_fully"` // found by the policy when everything is compared
	Lost       int        `json:"lost"`        // of these, not found by the search as it is
	Gained     int        `json:"gained"`      // the other way round
	CI95       [2]float64 `json:"lost_ci95"`   // of Lost / FoundFully, exact (Clopper and Pearson)
}

// again searches exhaustively for somebody whom the usual search found, or not.
func (l *Lost) again(ctx context.Context, g *matcher.Gallery, policy matcher.Policy, probe *matcher.Template, name string, found bool) error {
	candidates, err := g.IdentifyExhaustively(ctx, probe, 2)
	if err != nil {
		return err
	}
	fully := policy.Decide(candidates, g.Len()).Found && candidates[0].Subject == name
	switch {
	case fully && !found:
		l.Lost++
	case found && !fully:
		l.Gained++
	}
	if fully {
		l.FoundFully++
	}
	l.CI95 = shareInterval(l.Lost, l.FoundFully)
	return nil
}
