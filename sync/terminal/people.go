package terminal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/sync/register"
)

// itemPeople is an item of the store's queue: person records to fetch. Text is a JSON list of wanted.
const itemPeople = "people"

// wanted is a person record that the register has named.
type wanted struct {
	Subject  consent.SubjectID `json:"subject"`
	Revision uint64            `json:"revision"`
}

// noteWanted queues the person records that are newer than those held.
func (c *Client) noteWanted(standings []register.Standing) error {
	var list []wanted
	for _, s := range standings {
		if w := (wanted{s.ID, s.Person}); s.Person > 0 && !s.Leaver && c.missing(w) {
			list = append(list, w)
		}
	}
	for len(list) > 0 {
		n := min(len(list), register.MaxEnvelopes)
		text, err := json.Marshal(list[:n])
		if err != nil {
			return err
		}
		if _, err := c.o.Store.Enqueue(store.Item{Kind: itemPeople, Text: string(text), Refetched: true}); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

func (c *Client) missing(w wanted) bool {
	p, err := c.o.Store.Person(w.Subject)
	return err != nil || p.Revision < w.Revision
}

// fetchPeople fetches the records of one item and keeps them. What the hub leaves out has left.
func (c *Client) fetchPeople(ctx context.Context, it store.Item) error {
	var list []wanted
	if err := json.Unmarshal([]byte(it.Text), &list); err != nil {
		return fmt.Errorf("%w: a list of people to fetch cannot be read", errStore)
	}
	var ask []consent.SubjectID
	for _, w := range list {
		if _, known := c.o.Store.Standing(w.Subject); known && c.missing(w) {
			ask = append(ask, w.Subject)
		}
	}
	for len(ask) > 0 {
		records, err := c.askPeople(ctx, ask)
		if err != nil {
			return err
		}
		before := len(ask)
		for _, r := range records {
			ask = slices.DeleteFunc(ask, func(id consent.SubjectID) bool { return id == r.Subject })
		}
		if len(ask) == before { // nobody who was asked for: the hub has no more of them
			break
		}
	}
	return c.done(it.ID)
}

// askPeople fetches and keeps the records of as many of these subjects as the hub puts into one answer: photos fill it.
func (c *Client) askPeople(ctx context.Context, ids []consent.SubjectID) ([]store.PersonRecord, error) {
	out, err := c.ask(ctx, http.MethodPost, "/v1/people", "", register.PeopleRequest{Subjects: ids}, 0)
	if err != nil {
		return nil, err
	}
	records, err := c.openPeople(out)
	if err != nil {
		return nil, err
	}
	if err := c.o.Store.PutPeople(records); err != nil {
		return nil, fmt.Errorf("%w: %w", errStore, err)
	}
	return records, nil
}

// openPeople opens one envelope a line.
func (c *Client) openPeople(out []byte) ([]store.PersonRecord, error) {
	var records []store.PersonRecord
	for line := range bytes.Lines(out) {
		e, err := register.ParseEnvelope(bytes.TrimSpace(line))
		if err != nil {
			return nil, err
		}
		r, err := c.openPerson(e)
		if err != nil {
			return nil, err
		}
		if len(records) >= register.MaxEnvelopes {
			return nil, fmt.Errorf("%w: more people than were asked for", register.ErrMalformed)
		}
		records = append(records, r)
	}
	return records, nil
}

// openPerson opens what the hub has sealed to this terminal.
func (c *Client) openPerson(e *register.Envelope) (r store.PersonRecord, err error) {
	secret, err := c.o.Store.Secret(secretSeal)
	if err != nil {
		return r, fmt.Errorf("%w: %w", errStore, err)
	}
	defer locked.Free(secret)
	want := register.Label{Purpose: register.PurposePerson, Site: c.id.Site, From: register.Hub, To: c.id.Terminal}
	plain, err := e.Open(want, secret, c.hub.Key)
	if err != nil {
		return r, fmt.Errorf("a person record: %w", err)
	}
	p, err := register.ParsePerson(plain)
	clear(plain)
	if err != nil {
		return r, err
	}
	return store.PersonRecord{Subject: e.Subject, Person: store.Person{Name: p.Name, Form: p.Form, Class: p.Class,
		Photo: p.Photo, Dietary: p.Dietary, PINIndex: p.PINIndex, PINVerifier: p.PINVerifier, Revision: e.Revision}}, nil
}
