package till

// cashOnly shows why nobody may be identified now, if that is so: the terminal has not been commissioned (N1).
func (t *Till) cashOnly() bool {
	if t.parts.CashOnly == nil {
		return false
	}
	why := t.parts.CashOnly()
	if why == "" {
		return false
	}
	t.enter(TryAgain, why, stayMessage)
	return true
}
