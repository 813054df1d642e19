package till

import (
	"context"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
)

// servedToday returns when the subject was last served here today, or zero.
func (t *Till) servedToday(subject consent.SubjectID) time.Time {
	at, ok := t.served[subject]
	if !ok || consent.DateOf(at) != consent.DateOf(t.parts.Now()) {
		return time.Time{}
	}
	return at
}

// recallServed reads from the audit log who was served here today: a restart at
// half past twelve must not forget them. It reads back as far as today goes: a log of 400 days would hold up whoever writes to the store.
func (t *Till) recallServed() {
	if t.parts.Recent == nil {
		return
	}
	today := consent.DateOf(t.parts.Now())
	t.finish(func(context.Context) func() {
		served := map[consent.SubjectID]time.Time{}
		err := t.parts.Recent(func(_ int64, e audit.Event) bool {
			day := consent.DateOf(e.At.In(t.parts.Now().Location()))
			if _, later := served[e.Subject]; !later && e.Kind == audit.Match && e.Subject != "" && day == today {
				served[e.Subject] = e.At
			}
			return !day.Before(today) && t.ctx.Err() == nil
		})
		return func() {
			if err != nil {
				t.trouble++
			}
			for subject, at := range served {
				if t.served[subject].Before(at) {
					t.served[subject] = at
				}
			}
		}
	})
}
