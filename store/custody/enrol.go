package custody

import (
	"context"
	"errors"
	"fmt"

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

// Adopt takes in templates from the site's other terminals: those of subjects who are permitted now. The others are
// passed over and counted; they were never written. A template that the matcher cannot read is an error that
// keeps the whole batch out, since its sender is broken.
func (c *Custody) Adopt(ctx context.Context, records []store.TemplateRecord) (refused int, err error) {
	c.write.Lock()
	defer c.write.Unlock()
	if !c.biometrics() {
		return len(records), nil // A16: refused, and reported by the caller
	}
	now := c.st.Clock().Now()
	kept := make([]store.TemplateRecord, 0, len(records))
	for _, r := range records {
		if ok, _ := c.Permitted(r.Subject, now); ok {
			kept = append(kept, r)
		}
	}
	if err := c.enrol(ctx, kept); err != nil {
		return 0, fmt.Errorf("adopting templates: %w", err)
	}
	return len(records) - len(kept), nil
}

// enrol writes the store first: a power cut leaves a durable template that the next Load brings into the gallery.
func (c *Custody) enrol(ctx context.Context, records []store.TemplateRecord) error {
	if len(records) == 0 {
		return nil
	}
	if !c.biometrics() {
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
