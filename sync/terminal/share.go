package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/sync/register"
)

// itemIntroduce is an item of the store's queue: everything that was enrolled here goes to the terminal named in Text, which has
// joined since.
const itemIntroduce = "introduce"

const settingPeers = "sync.peers" // the site's other terminals, as JSON

// mailAtOnce is how many envelopes go in one request: the largest fingers stay below register.MaxBody.
const mailAtOnce = 100

// peers lists the site's other terminals.
func (c *Client) peers() ([]register.Peer, error) {
	b, err := c.o.Store.Setting(settingPeers)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errStore, err)
	}
	var all []register.Peer
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, fmt.Errorf("%w: the list of terminals cannot be read", errStore)
	}
	return all, nil
}

// notePeers keeps a new list of terminals and queues an introduction for each that was not on the one before. A terminal that
// comes back under its name with other keys is a new one.
func (c *Client) notePeers(list []register.Peer) error {
	if list == nil {
		return nil
	}
	before, err := c.peers()
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(slices.Clone(list), func(p register.Peer) bool { return p.ID == c.id.Terminal })
	for _, p := range list {
		known := func(old register.Peer) bool { return old.ID == p.ID && slices.Equal(old.Seal, p.Seal) }
		if slices.ContainsFunc(before, known) {
			continue
		}
		if _, err := c.o.Store.Enqueue(store.Item{Kind: itemIntroduce, Text: p.ID}); err != nil {
			return err
		}
	}
	b, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return c.o.Store.SetSetting(settingPeers, b)
}

// share seals what an item names to those whom it concerns and posts it.
func (c *Client) share(ctx context.Context, it store.Item) error {
	to, err := c.peers()
	if err != nil {
		return err
	}
	subjects := []consent.SubjectID{it.Subject}
	if it.Kind == itemIntroduce {
		to = slices.DeleteFunc(to, func(p register.Peer) bool { return p.ID != it.Text })
		count, err := c.o.Store.TemplateCount()
		if err != nil {
			return fmt.Errorf("%w: %w", errStore, err)
		}
		subjects = slices.Sorted(maps.Keys(count))
	}
	var mail []*register.Envelope
	for _, id := range subjects {
		if len(to) == 0 {
			break
		}
		more, err := c.sealFor(to, id)
		if err != nil {
			return err
		}
		mail = append(mail, more...)
		for len(mail) >= mailAtOnce {
			if err := c.post(ctx, mail[:mailAtOnce]); err != nil {
				return err
			}
			mail = mail[mailAtOnce:]
		}
	}
	if len(mail) > 0 {
		if err := c.post(ctx, mail); err != nil {
			return err
		}
	}
	return c.done(it.ID)
}

// finger is what was enrolled here of one finger.
type finger struct {
	position  uint8
	enrolled  uint64 // Unix seconds, of the latest
	templates [][]byte
}

// ownFingers copies what was enrolled here of a subject who is permitted now. The caller clears it.
func (c *Client) ownFingers(id consent.SubjectID) (fingers []finger, err error) {
	err = c.o.Store.Templates(id, func(r store.TemplateRecord) error {
		if r.From != "" && r.From != c.id.Terminal {
			return nil
		}
		if n := len(fingers); n == 0 || fingers[n-1].position != r.Finger {
			fingers = append(fingers, finger{position: r.Finger})
		}
		f := &fingers[len(fingers)-1]
		f.enrolled = max(f.enrolled, uint64(r.Enrolled.Unix()))
		f.templates = append(f.templates, slices.Clone(r.Data))
		return nil
	})
	if err != nil {
		clearFingers(fingers)
		return nil, fmt.Errorf("%w: %w", errStore, err)
	}
	return fingers, nil
}

func clearFingers(fingers []finger) {
	for _, f := range fingers {
		for _, t := range f.templates {
			clear(t)
		}
	}
}

// sealFor seals a subject's own fingers, one envelope for each finger and terminal.
func (c *Client) sealFor(to []register.Peer, id consent.SubjectID) ([]*register.Envelope, error) {
	fingers, err := c.ownFingers(id)
	if err != nil || len(fingers) == 0 {
		return nil, err
	}
	defer clearFingers(fingers)
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
		defer clear(parcel)
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

// post hands envelopes to the hub. What the hub refuses, because consent has ended or a terminal has gone, is not sent again.
func (c *Client) post(ctx context.Context, mail []*register.Envelope) error {
	out, err := c.ask(ctx, http.MethodPost, "/v1/mailbox", "", register.Envelopes{Envelopes: mail}, 0)
	if err != nil {
		return err
	}
	var a register.Accepted
	if err := register.Decode(out, &a); err != nil {
		return err
	}
	if n := len(a.Done) + len(a.Refused); n != len(mail) {
		return fmt.Errorf("%w: the hub answers for %d of %d envelopes", register.ErrMalformed, n, len(mail))
	}
	for _, r := range a.Refused {
		c.o.Log.Info("the hub did not take a finger for another terminal", "why", r.Why)
	}
	return nil
}
