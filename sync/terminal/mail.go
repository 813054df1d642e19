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

// fetchMail takes what lies in this terminal's mailbox. The register is caught up with first: the hub took each envelope only
// while its subject was permitted, so afterwards this terminal knows of that permit, and of a withdrawal since.
func (c *Client) fetchMail(ctx context.Context) (news bool, err error) {
	for {
		out, err := c.ask(ctx, http.MethodGet, "/v1/mailbox", "", nil, 0)
		if err != nil {
			return news, err
		}
		if c.left = bytes.Count(out, []byte("\n")); c.left == 0 {
			return news, nil
		}
		if err := c.catchUp(ctx); err != nil {
			return news, err
		}
		for line := range bytes.Lines(out) {
			e, err := register.ParseEnvelope(bytes.TrimSpace(line))
			if err != nil {
				return news, fmt.Errorf("the mailbox: %w", err)
			}
			if err := c.takeEnvelope(ctx, e); err != nil {
				return news, err
			}
			// A crash here fetches the envelope again; it is then no newer than what is held.
			if _, err := c.ask(ctx, http.MethodDelete, "/v1/mailbox/"+e.ID(), "", nil, 0); err != nil {
				return news, err
			}
			news, c.left = true, c.left-1
		}
	}
}

// takeEnvelope adopts a template or refuses it for good; an error means that it should be tried again.
func (c *Client) takeEnvelope(ctx context.Context, e *register.Envelope) error {
	parcel, err := c.openEnvelope(e)
	if errors.Is(err, errStore) {
		return err
	}
	if err != nil {
		return c.refuseTemplate(e, err.Error())
	}
	defer clear(parcel)
	templates, err := openParcel(parcel)
	if err != nil {
		return c.refuseTemplate(e, err.Error())
	}
	newer, err := c.newerThanHeld(e)
	if err != nil || !newer {
		return err
	}
	records := make([]store.TemplateRecord, len(templates))
	for i, t := range templates {
		records[i] = store.TemplateRecord{Subject: e.Subject, Finger: e.Finger, Data: t, Enrolled: time.Unix(int64(e.Revision), 0).UTC(), From: e.From}
	}
	refused, err := c.o.Custody.Adopt(ctx, records)
	switch {
	case refused > 0 || errors.Is(err, store.ErrNotPermitted):
		return c.refuseTemplate(e, "the subject is not permitted at this terminal")
	case err != nil:
		c.o.Log.Warn("a template from another terminal was not adopted", "from", e.From, "err", err)
		return c.refuseTemplate(e, "the template cannot be read or kept")
	}
	c.o.Log.Info("a finger from another terminal is adopted", "from", e.From)
	return nil
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
