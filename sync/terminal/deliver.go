package terminal

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"time"

	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/sync/register"
)

// ItemAlert is an item of the store's queue that anybody may add: Text is one sentence for the office, without personal data (H16, H17).
const ItemAlert = string(register.ReportAlert)

// deliver works off the store's queue whenever something is added, and tells the hub how this terminal stands.
func (c *Client) deliver(ctx context.Context) error {
	for tries := 0; ctx.Err() == nil; {
		err := c.deliverAll(ctx)
		if err == nil {
			err = c.sendStatus(ctx)
		}
		if err == nil {
			err = c.showLog(ctx)
		}
		if err != nil && ctx.Err() == nil {
			c.o.Log.Warn("what is queued for the hub waits", "err", err)
			c.pause(ctx, c.wake, tries, err)
			tries++
			continue
		}
		tries = 0
		select {
		case <-ctx.Done():
		case <-c.wake:
		case <-c.o.After(deliverEvery):
		}
	}
	return nil
}

// deliverAll takes the queue as it is now: people first, since pupils wait to be served, then what the office waits for,
// then templates for other terminals.
func (c *Client) deliverAll(ctx context.Context) error {
	c.queue.Lock()
	defer c.queue.Unlock()
	items, err := c.o.Store.Pending(0)
	if err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	c.countPending()
	defer c.countPending()
	var reports, shares []store.Item
	for _, it := range items {
		switch it.Kind {
		case itemPeople:
			if c.taking.Load() {
				continue // it is waked when the standings are in
			}
			if c.Mode() == register.ModeOff {
				continue // a terminal that serves nobody by name holds nobody's record
			}
			if err := c.fetchPeople(ctx, it); err != nil {
				return err
			}
		case itemExport:
			if err := c.sendExport(ctx, it); err != nil {
				return err
			}
		case store.ItemShare, itemIntroduce:
			shares = append(shares, it)
		default:
			reports = append(reports, it)
		}
	}
	for len(reports) > 0 {
		n := min(len(reports), register.MaxReports)
		if err := c.report(ctx, reports[:n]); err != nil {
			return err
		}
		reports = reports[n:]
	}
	return c.shareAll(ctx, shares)
}

// countPending notes how long the queue is. One count at a time: an older one that is noted after a newer one would say that nothing waits
// while people are still to be fetched.
func (c *Client) countPending() {
	c.counting.Lock()
	defer c.counting.Unlock()
	if items, err := c.o.Store.Pending(0); err == nil {
		c.update(func(s *State) { s.Pending = len(items) })
	}
}

// report sends items and takes off the queue what the hub has stored, or will never take.
func (c *Client) report(ctx context.Context, items []store.Item) error {
	applied, _ := c.o.Store.Applied()
	byID := make(map[string]store.Item)
	var in register.Reports
	for _, it := range items {
		r := asReport(it, applied)
		byID[r.ID] = it
		in.Reports = append(in.Reports, r)
	}
	out, err := c.ask(ctx, http.MethodPost, "/v1/reports", "", in, 0)
	if err != nil {
		return err
	}
	var a register.Accepted
	if err := register.Decode(out, &a); err != nil {
		return err
	}
	for _, id := range a.Done {
		if it, ok := byID[id]; ok {
			if err := c.delivered(it, a.Head); err != nil {
				return err
			}
			delete(byID, id)
		}
	}
	for _, r := range a.Refused {
		if it, ok := byID[r.ID]; ok {
			c.remark("The hub refuses a " + it.Kind + ": " + r.Why)
			if err := c.done(it.ID); err != nil {
				return err
			}
			delete(byID, r.ID)
		}
	}
	if len(byID) > 0 {
		return fmt.Errorf("%w: the hub has not answered for %d reports", register.ErrMalformed, len(byID))
	}
	return nil
}

// delivered takes an item off the queue. Of a refusal the store notes from which entry on the hub knew of it, so that a later
// consent, and only a later one, can be taken for a change of mind.
func (c *Client) delivered(it store.Item, head uint64) error {
	if it.Kind != store.ItemRefusal || head == 0 {
		return c.done(it.ID)
	}
	if err := c.o.Store.RefusalKnown(it.ID, head); err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	return nil
}

func (c *Client) done(ids ...uint64) error {
	if len(ids) == 0 {
		return nil
	}
	if err := c.o.Store.Done(ids...); err != nil {
		return fmt.Errorf("%w: %w", errStore, err)
	}
	return nil
}

// asReport puts an item into the wire's form. Its name is drawn from its content, so that it stays the same however often it is sent and
// is not taken for another one after the queue has been lost and its numbers begin again.
func asReport(it store.Item, applied uint64) register.Report {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\n%s\n%s\n%s\n%s", it.ID, it.Kind, it.Subject, it.At.UTC().Format(time.RFC3339Nano), it.Text))
	r := register.Report{ID: fmt.Sprintf("%x", sum[:16]), Kind: register.ReportKind(it.Kind), Seq: applied, Subject: it.Subject, At: it.At.UTC(), Body: it.Text}
	if it.Kind == store.ItemRefusal {
		r.Operator, r.Body = it.Text, ""
	}
	return r
}
