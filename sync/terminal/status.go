package terminal

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/sync/register"
)

// inventory is what the terminal holds, counted again only when something has changed, and when it was last sent.
type inventory struct {
	counted bool
	seq     uint64
	held    store.Inventory
	sent    register.Status
	at      time.Time
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
	same.At, same.Log, same.Used = before.At, before.Log, before.Used // every meal moves the log
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
	for _, id := range s.Used {
		delete(c.used, id)
	}
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
	cost, err := c.pinCost()
	if err != nil {
		return register.Status{}, err
	}
	on, why := c.Fingers()
	st := c.o.Store
	clock := st.Clock()
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.count.held
	s := register.Status{Applied: c.state.Applied, Version: c.o.Version, At: clock.Now().UTC(), Clock: clock.Trusted(), Mode: c.mode, Fingers: on, Why: why,
		Pupils: n.Pupils, Adults: n.Adults, Photos: n.Photos, PINs: n.PINs, Subjects: n.Subjects, Templates: n.Templates, Log: n.Log, Standings: n.Standings,
		Cipher: store.Cipher, Epoch: st.Epoch(), Promise: st.Promise(), Opened: st.Opened().UTC().Truncate(time.Second), PINCost: cost,
		Pending: c.state.Pending, Errors: append([]string(nil), c.remarks...), Used: slices.Sorted(maps.Keys(c.used))}
	if c.o.About != nil {
		c.o.About(&s)
	}
	return s, nil
}

// recount counts what is held. People are counted only after the register has moved: their records are large.
func (c *Client) recount() error {
	seq, _ := c.o.Store.Applied()
	c.mu.Lock()
	stale, n := !c.count.counted || c.count.seq != seq, c.count.held
	c.mu.Unlock()
	var err error
	if stale {
		n, err = c.o.Store.Inventory()
	} else {
		n, err = c.o.Store.Recount(n)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count.counted, c.count.seq, c.count.held = true, seq, n
	return nil
}
