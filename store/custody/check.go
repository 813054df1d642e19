package custody

import (
	"fmt"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
)

// Check looks for broken invariants: those of the store, and that every entry of the gallery has a permission now and
// templates behind it (I1), and that nobody is matched beyond the lease (I7). Run it at boot and hourly.
func (c *Custody) Check() []store.Violation {
	c.write.Lock() // gallery and store are compared at rest
	defer c.write.Unlock()
	found := append(c.st.Check(), c.checkLease(len(c.g.Subjects()))...)
	count, err := c.st.TemplateCount()
	if err != nil {
		return append(found, store.Violation{Invariant: "I1", Text: err.Error()})
	}
	now := c.st.Clock().Now()
	unpermitted, homeless := 0, 0
	for _, id := range c.g.Subjects() {
		if ok, _ := c.Permitted(consent.SubjectID(id), now); !ok {
			unpermitted++
		}
		if count[consent.SubjectID(id)] == 0 {
			homeless++
		}
	}
	if unpermitted > 0 {
		found = append(found, store.Violation{Invariant: "I1", Text: fmt.Sprintf("%d subjects in the gallery are not permitted now", unpermitted)})
	}
	if homeless > 0 {
		found = append(found, store.Violation{Invariant: "I1", Text: fmt.Sprintf("%d subjects in the gallery have no template in the store", homeless)})
	}
	return found
}

// sweptWithin is how long after the end of a lease somebody may still be in the gallery: the sweep that empties it runs every minute.
const sweptWithin = 5 * time.Minute

// checkLease holds what is matched against the lease (I7).
func (c *Custody) checkLease(matched int) (found []store.Violation) {
	lease, now := c.Lease(), c.st.Clock().Now()
	if !lease.IsZero() && now.Sub(lease) > sweptWithin && matched > 0 {
		found = append(found, store.Violation{Invariant: "I7", Text: fmt.Sprintf("%d subjects are in the gallery although the lease is over", matched)})
	}
	c.mu.RLock()
	kept := c.kept
	c.mu.RUnlock()
	if kept.After(lease) {
		found = append(found, store.Violation{Invariant: "I7", Text: "the disk holds a longer lease than the hub has given"})
	}
	return found
}
