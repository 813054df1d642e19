package terminal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tillprint/tillprint/sync/register"
)

// errStore wraps failures of this terminal's own store, to tell them from the hub's.
var errStore = errors.New("the terminal's store")

// maxLoad bounds the entries of a first load that have to be held in memory.
const maxLoad = 200_000

// follow asks the hub for what is new, for ever. The first question after a start or a failure is answered at once.
func (c *Client) follow(ctx context.Context) error {
	var wait time.Duration
	fresh := true // the first question after a start or a failure
	for tries := 0; ctx.Err() == nil; {
		asked := c.o.Now()
		news, odd, err := c.pull(ctx, wait)
		if err == nil {
			var mail bool
			mail, err = c.fetchMail(ctx)
			news = news || mail
			if err != nil && !errors.Is(err, ErrWiped) && !errors.Is(err, errRefetch) { // what is wrong with a template must not hold up a revocation
				odd, err = errors.New(explain(err)), nil
			}
		}
		switch {
		case errors.Is(err, ErrWiped):
			return err
		case errors.Is(err, errRefetch):
			wait, fresh = 0, true
			continue
		case ctx.Err() != nil:
			return nil
		case err != nil:
			c.trouble(err, "")
			c.pause(ctx, nil, tries, err)
			tries, wait, fresh = tries+1, 0, true
			continue
		}
		c.well(odd)
		if !news && !fresh && c.o.Now().Sub(asked) < minPause { // a hub that does not wait must not be asked in a whirl
			c.pause(ctx, nil, 0, nil)
		}
		tries, wait, fresh = 0, c.o.Wait, false
		if c.last.Size < c.last.Head {
			wait = 0
		}
	}
	return nil
}

// pull asks once for what comes after the last checkpoint and applies it. news says that there was something; odd is something
// wrong that keeps nothing from being applied.
func (c *Client) pull(ctx context.Context, wait time.Duration) (news bool, odd, err error) {
	if c.last == nil {
		odd, err = c.load(ctx)
		return true, odd, err
	}
	query := fmt.Sprintf("after=%d&wait=%d&mail=%d", c.last.Size, wait/time.Second, c.left)
	b, err := c.fetchBatch(ctx, query, wait)
	if err != nil {
		return false, nil, err
	}
	entries, next, err := b.Verify(c.id.Site, c.sign, c.last, false)
	if err != nil {
		return false, nil, fmt.Errorf("the hub's register: %w", err)
	}
	odd, err = c.take(ctx, entries, next, b.Checkpoint)
	return len(entries) > 0, odd, err
}

// catchUp applies everything that the hub has at this moment.
func (c *Client) catchUp(ctx context.Context) error {
	for {
		if _, _, err := c.pull(ctx, 0); err != nil {
			return err
		}
		if c.last.Size >= c.last.Head {
			return nil
		}
	}
}

// load reads the whole register and applies it in one step, so that nothing that was taken back later is ever granted meanwhile.
func (c *Client) load(ctx context.Context) (odd, err error) {
	var all []*register.Entry
	var last *register.Checkpoint
	for {
		after := uint64(0)
		if last != nil {
			after = last.Size
		}
		b, err := c.fetchBatch(ctx, fmt.Sprintf("after=%d&wait=0&elide=1", after), 0)
		if err != nil {
			return nil, err
		}
		entries, next, err := b.Verify(c.id.Site, c.sign, last, true)
		if err != nil {
			return nil, fmt.Errorf("the hub's register: %w", err)
		}
		all = append(all, entries...)
		if len(all) > maxLoad || next.Size < next.Head && len(b.Leaves) == 0 {
			return nil, fmt.Errorf("%w: a register that does not end", register.ErrMalformed)
		}
		if next.Size == next.Head {
			return c.take(ctx, all, next, b.Checkpoint)
		}
		last = next
	}
}

func (c *Client) fetchBatch(ctx context.Context, query string, wait time.Duration) (*register.Batch, error) {
	out, err := c.ask(ctx, http.MethodGet, "/v1/register", query, nil, wait)
	if err != nil {
		return nil, err
	}
	b, err := register.ParseBatch(out)
	if err != nil {
		return nil, fmt.Errorf("the hub's register: %w", err)
	}
	return b, nil
}
