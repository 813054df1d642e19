package terminal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/sync/register"
)

// inventory is what the terminal holds, counted again only when something has changed, and when it was last sent.
type inventory struct {
	counted                             bool
	seq                                 uint64
	pupils, adults, subjects, templates int
	sent                                register.Status
	at                                  time.Time
}

// sendStatus tells the hub how this terminal stands, when it has changed or not been said for a while (J3).
func (c *Client) sendStatus(ctx context.Context) error {
	s, err := c.status()
	if err != nil {
		return err
	}
	c.mu.Lock()
	before, at := c.count.sent, c.count.at
	c.mu.Unlock()
	same := s
	same.At = before.At
	if equalStatus(same, before) && c.o.Now().Sub(at) < statusEvery {
		return nil
	}
	if _, err := c.ask(ctx, http.MethodPost, "/v1/status", "", s, 0); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count.sent, c.count.at = s, c.o.Now()
	c.remarks = c.remarks[min(len(s.Errors), len(c.remarks)):]
	return nil
}

func equalStatus(a, b register.Status) bool {
	if len(a.Errors) > 0 || len(b.Errors) > 0 {
		return false
	}
	a.Errors, b.Errors = nil, nil
	return fmt.Sprint(a) == fmt.Sprint(b)
}

func (c *Client) status() (register.Status, error) {
	if err := c.recount(); err != nil {
		return register.Status{}, err
	}
	on, why := c.o.Custody.Fingers()
	clock := c.o.Store.Clock()
	c.mu.Lock()
	defer c.mu.Unlock()
	return register.Status{Applied: c.state.Applied, Version: c.o.Version, At: clock.Now().UTC(), Clock: clock.Trusted(), Fingers: on, Why: why,
		Pupils: c.count.pupils, Adults: c.count.adults, Subjects: c.count.subjects, Templates: c.count.templates,
		Pending: c.state.Pending, Errors: append([]string(nil), c.remarks...)}, nil
}

// recount counts what is held. People are counted only after the register has moved: their records are large.
func (c *Client) recount() error {
	held, err := c.o.Store.TemplateCount()
	if err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	templates := 0
	for _, n := range held {
		templates += n
	}
	seq, _ := c.o.Store.Applied()
	c.mu.Lock()
	stale := !c.count.counted || c.count.seq != seq
	c.count.subjects, c.count.templates = len(held), templates
	c.mu.Unlock()
	if !stale {
		return nil
	}
	byClass := make(map[consent.Class]int)
	err = c.o.Store.People(func(_ consent.SubjectID, p store.Person) bool {
		byClass[p.Class]++
		return true
	})
	if err != nil {
		return errors.Join(errStore, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count.counted, c.count.seq = true, seq
	c.count.pupils, c.count.adults = byClass[consent.Pupil], byClass[consent.Adult]
	return nil
}
