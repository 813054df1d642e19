package terminal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/sync/register"
)

// fetchMail takes what one answer of this terminal's mailbox holds. The register is caught up with first: the hub took each envelope
// only while its subject was permitted, so afterwards this terminal knows of that permit, and of a withdrawal since. What still
// lies there makes the next question for the register come back at once. news says that a finger has been adopted.
func (c *Client) fetchMail(ctx context.Context) (news bool, err error) {
	out, err := c.ask(ctx, http.MethodGet, "/v1/mailbox", "", nil, 0)
	if err != nil || len(out) == 0 {
		c.left = 0
		return false, err
	}
	c.left = bytes.Count(out, []byte("\n"))
	if err := c.catchUp(ctx); err != nil {
		return false, err
	}
	d, err := c.openMail(out)
	defer d.clear()
	if errors.Is(err, errStore) {
		return false, err
	}
	taken, adopted, adoptErr := c.adopt(ctx, d)
	if adoptErr != nil {
		return false, adoptErr
	}
	if len(taken) > 0 { // a crash before this fetches the envelopes again; they are then no newer than what is held
		if _, err := c.ask(ctx, http.MethodPost, "/v1/mailbox/taken", "", register.Taken{IDs: taken}, 0); err != nil {
			return adopted > 0, err
		}
		c.left = max(0, c.left-len(taken))
		c.o.Log.Info("fingers from other terminals", "adopted", adopted, "passed over", len(taken)-adopted)
	}
	return adopted > 0, err
}

// delivery is one answer of the mailbox, opened. Its owner clears it.
type delivery struct {
	fingers []received
	settled []string // ids of envelopes that need nothing more: refused, or not newer than what is held
}

func (d *delivery) clear() {
	for _, f := range d.fingers {
		clear(f.parcel)
	}
}

// openMail opens the envelopes of one answer. Of a finger that comes more than once only the newest counts. What is wrong with one
// envelope holds up no other: err then tells of it, and the rest is in the delivery.
func (c *Client) openMail(out []byte) (d delivery, err error) {
	for line := range bytes.Lines(out) {
		e, bad := register.ParseEnvelope(bytes.TrimSpace(line))
		if bad != nil { // without an id it cannot even be refused
			err = fmt.Errorf("the mailbox: %w", bad)
			continue
		}
		f, why := c.receive(e)
		if errors.Is(why, errStore) {
			return d, why
		}
		if why != nil {
			if err := c.refuseTemplate(e, why.Error()); err != nil {
				return d, err
			}
			d.settled = append(d.settled, e.ID())
			continue
		}
		if err := c.keepNewest(&d, f); err != nil {
			return d, err
		}
	}
	return d, err
}

// keepNewest adds a finger to a delivery, unless what is held of it or has come with the same answer is as new.
func (c *Client) keepNewest(d *delivery, f received) error {
	newer, err := c.newerThanHeld(f.envelope)
	if err != nil {
		clear(f.parcel)
		return err
	}
	i := slices.IndexFunc(d.fingers, func(o received) bool {
		return o.envelope.Subject == f.envelope.Subject && o.envelope.Finger == f.envelope.Finger
	})
	switch {
	case !newer || i >= 0 && f.envelope.Revision <= d.fingers[i].envelope.Revision:
		clear(f.parcel)
		d.settled = append(d.settled, f.envelope.ID())
	case i >= 0:
		clear(d.fingers[i].parcel)
		d.settled = append(d.settled, d.fingers[i].envelope.ID())
		d.fingers[i] = f
	default:
		d.fingers = append(d.fingers, f)
	}
	return nil
}

// adopt hands a delivery to custody, in one commit, and returns the ids of all envelopes that are done with.
func (c *Client) adopt(ctx context.Context, d delivery) (taken []string, adopted int, err error) {
	enrolments := make([][]store.TemplateRecord, len(d.fingers))
	for i, f := range d.fingers {
		enrolments[i] = f.records
	}
	passed, err := c.o.Custody.Adopt(ctx, enrolments)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", errStore, err)
	}
	taken = d.settled
	for i, why := range passed {
		if why == nil {
			adopted++
		} else if err := c.refuseTemplate(d.fingers[i].envelope, why.Error()); err != nil {
			return nil, 0, err
		}
		taken = append(taken, d.fingers[i].envelope.ID())
	}
	return taken, adopted, nil
}
