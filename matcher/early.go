package matcher

// EarlyLooks is for how many looks at one image on its way [Policy.Early] shares
// the budget out. More looks than that are not within its promise.
const EarlyLooks = 16

// Early is the policy for looking at an image before all of it has arrived. Each
// of up to EarlyLooks looks has its share of the budget, so that however they
// depend on each other (Bonferroni), all of them together name a stranger no more
// often than the whole image may. The best subject must also be further ahead of
// the second: part of a finger can be alike to more people than all of it.
func (p Policy) Early() Policy {
	p.FalseMatchBudget /= EarlyLooks
	p.Margin += earlyMargin
	return p
}

// earlyMargin is what the margin grows by, in scores: by the impostor model, it
// makes a chance lead five times rarer.
const earlyMargin = 2
