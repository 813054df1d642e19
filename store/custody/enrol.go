package custody

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/store"
)

// Enrol keeps templates that were captured here and lets them be matched. Every subject must be permitted now (A1); the
// error wraps store.ErrNotPermitted otherwise, and nothing is kept. A finger that is enrolled again replaces the
// earlier one. The caller clears the records' data.
func (c *Custody) Enrol(ctx context.Context, records []store.TemplateRecord) error {
	c.write.Lock()
	defer c.write.Unlock()
	if err := c.enrol(ctx, records); err != nil {
		return fmt.Errorf("enrolling: %w", err)
	}
	return nil
}

// Adopt takes in enrolments from the site's other terminals, each the templates of one finger, in one commit. passed
// says of each enrolment why it was passed over for good and never written: store.ErrNotPermitted, ErrOff or
// ErrUnreadable; nil if it was taken. With an err nothing is decided and all of it should be tried again.
func (c *Custody) Adopt(ctx context.Context, enrolments [][]store.TemplateRecord) (passed []error, err error) {
	c.write.Lock()
	defer c.write.Unlock()
	now := c.st.Clock().Now()
	passed = make([]error, len(enrolments))
	var kept []store.TemplateRecord
	for i, records := range enrolments {
		if passed[i] = c.adoptable(records, now); passed[i] == nil {
			kept = append(kept, records...)
		}
	}
	if err := c.enrol(ctx, kept); err != nil {
		return nil, fmt.Errorf("adopting templates: %w", err)
	}
	return passed, nil
}

// adoptable says why an enrolment from elsewhere is not taken: what its sender promises counts for nothing here (A16).
func (c *Custody) adoptable(records []store.TemplateRecord, now time.Time) error {
	if !c.Biometrics() {
		return ErrOff
	}
	for _, r := range records {
		if ok, _ := c.Permitted(r.Subject, now); !ok {
			return store.ErrNotPermitted
		}
		if r.Finger > 10 || readable(r.Data) != nil {
			return ErrUnreadable
		}
	}
	return nil
}

// enrol writes the store first: a power cut leaves a durable template that the next Load brings into the gallery.
func (c *Custody) enrol(ctx context.Context, records []store.TemplateRecord) error {
	if len(records) == 0 {
		return nil
	}
	if !c.Biometrics() {
		return fmt.Errorf("%w: the site does not use biometrics (A16)", ErrOff)
	}
	subjects := map[consent.SubjectID]bool{}
	for _, r := range records {
		if err := readable(r.Data); err != nil {
			return err
		}
		if c.isBarred(r.Subject) {
			return fmt.Errorf("%w for this subject: a refusal or withdrawal has just come in", store.ErrNotPermitted)
		}
		subjects[r.Subject] = true
	}
	if err := c.st.PutTemplates(records); err != nil {
		return err
	}
	for id := range subjects {
		c.g.RemoveSubject(string(id)) // the store knows what replaces what
		if err := c.loadSubject(ctx, id); err != nil {
			return err
		}
		if ok, _ := c.Permitted(id, c.st.Clock().Now()); !ok {
			c.g.RemoveSubject(string(id)) // barred while it was being added
		}
	}
	return nil
}

func readable(data []byte) error {
	var t matcher.Template
	if err := t.UnmarshalBinary(data); err != nil {
		return err
	}
	defer t.Clear()
	if len(t.Minutiae) == 0 {
		return errors.New("the template is empty")
	}
	return nil
}
