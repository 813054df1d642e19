package terminal

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/sync/register"
)

// itemRefusedTemplate is an item of the store's queue: a template came of a subject who is not permitted (A16, I4).
const itemRefusedTemplate = string(register.ReportRefusedTemplate)

// received is one enrolment from another terminal.
type received struct {
	envelope *register.Envelope
	parcel   []byte // in clear; the records point into it
	records  []store.TemplateRecord
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
	defer locked.Free(secret)
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
