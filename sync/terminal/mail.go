package terminal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/sync/register"
)

// itemRefusedTemplate is an item of the store's queue: a template came of a subject who is not permitted (A16, I4).
const itemRefusedTemplate = string(register.ReportRefusedTemplate)

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

// received is one enrolment from another terminal.
type received struct {
	envelope *register.Envelope
	parcel   []byte // in clear; the records point into it
	records  []store.TemplateRecord
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

// receive opens one envelope. The error says why its template is refused, or wraps errStore.
func (c *Client) receive(e *register.Envelope) (received, error) {
	parcel, err := c.openEnvelope(e)
	if err != nil {
		return received{}, err
	}
	templates, err := openParcel(parcel)
	if err != nil {
		clear(parcel)
		return received{}, err
	}
	f := received{envelope: e, parcel: parcel}
	for _, t := range templates {
		f.records = append(f.records, store.TemplateRecord{Subject: e.Subject, Finger: e.Finger, Data: t, Enrolled: time.Unix(int64(e.Revision), 0).UTC(), From: e.From})
	}
	return f, nil
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

func (c *Client) openEnvelope(e *register.Envelope) ([]byte, error) {
	peers, err := c.peers()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(peers, func(p register.Peer) bool { return p.ID == e.From })
	if i < 0 {
		return nil, errors.New("its sender is not a terminal of this site")
	}
	secret, err := c.o.Store.Secret(secretSeal)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errStore, err)
	}
	defer clear(secret)
	want := register.Label{Purpose: register.PurposeTemplate, Site: c.id.Site, From: e.From, To: c.id.Terminal}
	return e.Open(want, secret, peers[i].Sign)
}

// newerThanHeld reports whether an envelope holds an enrolment later than what is held of that finger, so that a repeated or
// late envelope does not bring back an older one.
func (c *Client) newerThanHeld(e *register.Envelope) (bool, error) {
	newer := true
	err := c.o.Store.Templates(e.Subject, func(r store.TemplateRecord) error {
		if r.Finger == e.Finger && r.Enrolled.Unix() >= int64(e.Revision) {
			newer = false
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("%w: %w", errStore, err)
	}
	return newer, nil
}

// refuseTemplate queues the report that a template was not taken.
func (c *Client) refuseTemplate(e *register.Envelope, why string) error {
	_, err := c.o.Store.Enqueue(store.Item{Kind: itemRefusedTemplate, Subject: e.Subject, Text: "A template from " + e.From + " was refused: " + why + "."})
	if err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	c.Wake()
	return nil
}
