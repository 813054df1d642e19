package terminal

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/sync/register"
)

// itemIntroduce is an item of the store's queue: everything that is this terminal's to pass on goes to the terminal named in Text,
// which has joined since.
const itemIntroduce = "introduce"

// mailAtOnce is how many envelopes go in one request: the largest fingers stay below register.MaxBody.
const mailAtOnce = 100

// bundle collects sealed fingers, so that a school's enrolments go in few requests.
type bundle struct {
	mail []*register.Envelope
	done []uint64 // items of the queue whose envelopes are all in mail or posted
}

// shareAll seals what the items name to those whom it concerns, posts it, and takes the items off the queue. A crash anywhere here
// sends some of it twice; terminals take each finger once.
func (c *Client) shareAll(ctx context.Context, items []store.Item) error {
	var b bundle
	peers, err := c.peers()
	if err != nil {
		return err
	}
	for _, it := range items {
		to, subjects, err := c.audience(it, peers)
		if err != nil {
			return err
		}
		others := peers
		if it.Kind == itemIntroduce { // whoever has lost its fingers lacks its own too: each terminal sends all that it has
			others = nil
		}
		for _, id := range subjects {
			more, err := c.sealFor(to, id, others)
			if err != nil {
				return err
			}
			if len(b.mail) > 0 && len(b.mail)+len(more) > mailAtOnce {
				if err := c.post(ctx, &b); err != nil {
					return err
				}
			}
			b.mail = append(b.mail, more...)
		}
		b.done = append(b.done, it.ID)
	}
	return c.post(ctx, &b)
}

// audience says to whom an item's fingers go, and whose they are.
func (c *Client) audience(it store.Item, peers []register.Peer) (to []register.Peer, subjects []consent.SubjectID, err error) {
	to = peers
	if it.Kind == itemIntroduce {
		to = slices.DeleteFunc(slices.Clone(peers), func(p register.Peer) bool { return p.ID != it.Text })
	}
	switch {
	case len(to) == 0: // nobody else is here, or who joined has gone
		return nil, nil, nil
	case it.Kind != itemIntroduce:
		return to, []consent.SubjectID{it.Subject}, nil
	}
	count, err := c.o.Store.TemplateCount()
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errStore, err)
	}
	return to, slices.Sorted(maps.Keys(count)), nil
}

// finger is the templates of one finger.
type finger struct {
	position  uint8
	enrolled  uint64 // Unix seconds, of the latest
	templates [][]byte
}

// fingersOf copies what is this terminal's to pass on of a subject who is permitted now: what did not come from one of others, who
// pass it on themselves. The caller frees it.
func (c *Client) fingersOf(id consent.SubjectID, others []register.Peer) (fingers []finger, err error) {
	err = c.o.Store.Templates(id, func(r store.TemplateRecord) error {
		if slices.ContainsFunc(others, func(p register.Peer) bool { return p.ID == r.From }) {
			return nil
		}
		if n := len(fingers); n == 0 || fingers[n-1].position != r.Finger {
			fingers = append(fingers, finger{position: r.Finger})
		}
		f := &fingers[len(fingers)-1]
		f.enrolled = max(f.enrolled, uint64(r.Enrolled.Unix()))
		own := locked.Make[byte](len(r.Data))
		copy(own, r.Data)
		f.templates = append(f.templates, own)
		return nil
	})
	if err != nil {
		freeFingers(fingers)
		return nil, fmt.Errorf("%w: %w", errStore, err)
	}
	return fingers, nil
}

func freeFingers(fingers []finger) {
	for _, f := range fingers {
		for _, t := range f.templates {
			locked.Free(t)
		}
	}
}

// sealFor seals a subject's fingers, one envelope for each finger and terminal.
func (c *Client) sealFor(to []register.Peer, id consent.SubjectID, others []register.Peer) ([]*register.Envelope, error) {
	fingers, err := c.fingersOf(id, others)
	if err != nil || len(fingers) == 0 {
		return nil, err
	}
	defer freeFingers(fingers)
	key, err := c.o.Store.SigningKey()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errStore, err)
	}
	defer clear(key)
	var mail []*register.Envelope
	for _, f := range fingers {
		parcel, err := packParcel(f.templates)
		if err != nil {
			return nil, err
		}
		defer locked.Free(parcel)
		for _, p := range to {
			e, err := register.Seal(register.Label{Purpose: register.PurposeTemplate, Site: c.id.Site, From: c.id.Terminal, To: p.ID,
				Subject: id, Finger: f.position, Revision: f.enrolled}, parcel, p.Seal, key)
			if err != nil {
				return nil, fmt.Errorf("sealing a finger for terminal %s: %w", p.ID, err)
			}
			mail = append(mail, e)
		}
	}
	return mail, nil
}

// post hands a bundle to the hub and empties it. What the hub refuses, because consent has ended or a terminal has gone, is not sent again.
func (c *Client) post(ctx context.Context, b *bundle) error {
	for part := range slices.Chunk(b.mail, mailAtOnce) {
		out, err := c.ask(ctx, http.MethodPost, "/v1/mailbox", "", register.Envelopes{Envelopes: part}, 0)
		if err != nil {
			return err
		}
		var a register.Accepted
		if err := register.Decode(out, &a); err != nil {
			return err
		}
		if n := len(a.Done) + len(a.Refused); n != len(part) {
			return fmt.Errorf("%w: the hub answers for %d of %d envelopes", register.ErrMalformed, n, len(part))
		}
		for _, r := range a.Refused {
			c.o.Log.Info("the hub did not take a finger for another terminal", "why", r.Why)
		}
	}
	done := b.done
	*b = bundle{}
	return c.done(done...)
}
