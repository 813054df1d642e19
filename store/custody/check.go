package custody

import (
	"fmt"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
)

// Check looks for broken invariants: those of the store, and that every entry of the gallery has a permission now and
// templates behind it (I1). Run it at boot and hourly.
func (c *Custody) Check() []store.Violation {
	c.write.Lock() // gallery and store are compared at rest
	defer c.write.Unlock()
	found := c.st.Check()
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
