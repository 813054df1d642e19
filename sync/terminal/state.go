package terminal

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tillprint/tillprint/sync/register"
)

// State is how the connection stands: a snapshot for the operator's page.
type State struct {
	Site, Terminal string
	Reachable      bool      // the last exchange went well
	Contact        time.Time // of the last that did, by the terminal's clock; zero if none since the start
	Applied, Head  uint64    // register entries applied here, and known to exist
	Told           time.Time // the hub's clock when it last told all that it has; zero before the first time
	Lease          time.Time // until when fingers may be matched without further word; zero before the first
	Pending        int       // items queued for the hub
	Countersigned  int64     // records of the audit log that the hub has countersigned, as far as this run has heard
	Removed        bool      // the hub does not count this terminal among the site's any more
	Problem        string    // one sentence and what to do; empty if there is none
}

// State returns the present state. It may be called at any time from any goroutine.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Changed returns a channel that is closed when the state is next different: take it before reading State, so that nothing falls
// in between.
func (c *Client) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

func (c *Client) update(f func(*State)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.state
	f(&c.state)
	if c.state != before {
		close(c.changed)
		c.changed = make(chan struct{})
	}
}

// well notes an exchange with the hub that went well. odd is a sentence on something that is wrong all the same, or nil.
func (c *Client) well(odd error) {
	problem, back := "", false
	if odd != nil {
		problem = odd.Error()
	}
	c.update(func(s *State) {
		back = !s.Reachable
		s.Reachable, s.Removed, s.Contact, s.Problem = true, false, c.o.Now(), problem
	})
	if back {
		c.Wake()
	}
}

// trouble notes an exchange that failed; standing is a sentence that comes before what is wrong now, or "".
func (c *Client) trouble(err error, standing string) {
	said := explain(err)
	c.update(func(s *State) {
		s.Reachable, s.Problem, s.Removed = false, strings.TrimSpace(standing+" "+said), refusedWith(err, register.CodeRemoved)
	})
	c.o.Log.Warn("the hub: "+said, "err", err)
}

// remark keeps a sentence for the next status to the hub, once.
func (c *Client) remark(sentence string) {
	c.o.Log.Warn(sentence)
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Contains(c.remarks, sentence) {
		return
	}
	c.remarks = append(c.remarks, sentence)
	c.remarks = c.remarks[max(0, len(c.remarks)-16):]
}

// explain puts an error into words for an operator: what is wrong, what goes on, what to do.
func explain(err error) string {
	var f *failure
	switch {
	case errors.Is(err, ErrImpostor):
		return "Another machine answers at the hub's address, or a proxy opens the connection. Ask who changed the network or the hub; lunch goes on."
	case errors.Is(err, register.ErrFork):
		return "The hub's register contradicts what this terminal has been told before. Nothing new is applied. Ask whether the hub was replaced, and join again if it was."
	case errors.Is(err, register.ErrRollback), refusedWith(err, register.CodeRollback):
		return "The hub knows less than this terminal: it was restored from an old backup. Restore a newer one, or join again."
	case errors.Is(err, register.ErrUnsigned), errors.Is(err, register.ErrSite):
		return "What the hub sent is not signed with the key that this terminal knows. Nothing of it is applied. Ask whether the hub was replaced."
	case errors.Is(err, register.ErrStale), errors.Is(err, register.ErrSequence), errors.Is(err, register.ErrMalformed):
		return "What the hub sent is old, incomplete or damaged. Nothing of it is applied; this terminal keeps asking."
	case refusedWith(err, register.CodeRemoved):
		return "The hub has removed this terminal from its site. Fingerprints end with the lease. Join again if that was a mistake."
	case refusedWith(err, register.CodeSignature):
		return "The hub does not know this terminal's key. Join again with a new code from the hub's page."
	case errors.As(err, &f):
		return "The hub cannot answer at the moment. This terminal keeps asking; lunch goes on."
	case errors.Is(err, errStore):
		return "This terminal cannot write to its own memory. Check the card and restart; see the log."
	case errors.Is(err, context.DeadlineExceeded):
		return "The hub is too slow to answer, or the network is. This terminal keeps asking; lunch goes on."
	}
	return "The hub cannot be reached. Check its power and the network cable; lunch goes on and nothing is lost."
}
