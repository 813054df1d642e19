package matcher

import "testing"

// All looks together stay within the budget of the whole image, and no look
// accepts what the whole image would not.
func TestEarlyIsStricter(t *testing.T) {
	early := DefaultPolicy.Early()
	if total := early.FalseMatchBudget * EarlyLooks; total > DefaultPolicy.FalseMatchBudget {
		t.Errorf("all looks together have %g of a budget of %g", total, DefaultPolicy.FalseMatchBudget)
	}
	for score := 0.0; score < 60; score += 0.5 {
		for lead := 0.0; lead <= score; lead += 0.5 {
			candidates := []Candidate{{"a", 1, score}, {"b", 1, score - lead}}
			if early.Decide(candidates, 2400).Found && !DefaultPolicy.Decide(candidates, 2400).Found {
				t.Fatalf("score %g with a lead of %g is enough early, but not in the end", score, lead)
			}
		}
	}
}

func TestEarlyOfNoBudgetFindsNobody(t *testing.T) {
	if (Policy{}).Early().Decide([]Candidate{{"a", 1, 1e6}}, 1).Found {
		t.Error("found somebody without a budget")
	}
}
