package terminal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sync/errgroup"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/custody"
	"github.com/tillprint/tillprint/sync/register"
)

// Config is what a Client works with. Store and Custody are needed.
type Config struct {
	Store   *store.Store
	Custody *custody.Custody
	Version string // of the daemon, for the hub's list of terminals
	Untried bool   // this version is on trial: a mode that it cannot read wipes nothing

	// About adds to a status what only the daemon knows; nil adds nothing.
	About func(*register.Status)

	// Settings carries out a config command of the hub; an error is reported to the hub. Nil takes note of nothing.
	Settings func(map[string]string) error
	Log      *slog.Logger // without personal data; slog.Default when nil

	Now    func() time.Time                     // time.Now when nil; only for spans and for State.Contact
	After  func(time.Duration) <-chan time.Time // time.After when nil; tests let it fire at once
	Jitter func() float64                       // 0 to 1, to spread retries of many terminals; random when nil
	Wait   time.Duration                        // how long the hub may hold a question; register.MaxWait seconds when 0
}

// Timing of retries and of regular work.
const (
	minPause     = time.Second      // before the first retry, spread by a factor of 0.5 to 1.5
	maxPause     = 30 * time.Second // before any later one, spread likewise
	deliverEvery = 30 * time.Second // looks into the queue even if nobody calls Wake
	statusEvery  = 5 * time.Minute  // repeats a status that has not changed
)

// ErrWiped ends Run when the hub has ordered this terminal wiped (H6) and that has been done: nothing in the store can be
// opened any more.
var ErrWiped = errors.New("the hub has ordered this terminal wiped: its keys are destroyed; set the store's folder aside and join again")

// Client is this terminal's side of the connection to its hub.
type Client struct {
	o    Config
	id   store.Identity
	hub  hubRecord
	loss *lossRecord   // set while the hub does not know this terminal's keys
	sign note.Verifier // of the hub's checkpoints
	wire *wire
	wake chan struct{} // capacity 1: there is something to deliver

	patience time.Duration // answerTime; tests are less patient

	// Owned by the goroutine that follows the register.
	last   *register.Checkpoint // nil before the first load
	signed []byte               // last as it was signed
	left   int                  // envelopes that could not be taken out of the mailbox; the hub need not announce them again

	log witnessed // owned by the goroutine that delivers

	// queue is held over a pass over the store's queue, and while a refetch empties it: the numbers of its items begin again
	// then, and one that is done must not be taken for its successor.
	queue    sync.Mutex
	counting sync.Mutex // see countPending

	// taking is set from the first item that take queues until the standings behind it are in: who is to be fetched is not
	// known to the store before, and would be taken for somebody who has left.
	taking atomic.Bool

	mu      sync.Mutex // guards what follows
	state   State
	mode    register.Mode
	changed chan struct{} // closed at the next change of state
	remarks []string      // for the next status, newest last
	count   inventory
	used    map[consent.SubjectID]bool // whose fingers were used and the hub does not know yet (D3); forgotten at a stop, told at the next meal
}

// New prepares a client over a store that Join has made.
func New(o Config) (*Client, error) {
	o.Log = cmp.Or(o.Log, slog.Default())
	o.Wait = cmp.Or(o.Wait, register.MaxWait*time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.After == nil {
		o.After = time.After
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	c := &Client{o: o, id: o.Store.Identity(), wake: make(chan struct{}, 1), changed: make(chan struct{}), patience: answerTime}
	if err := c.recall(); err != nil {
		return nil, fmt.Errorf("preparing the connection to the hub: %w", err)
	}
	if err := c.recallMode(); err != nil {
		return nil, fmt.Errorf("preparing the connection to the hub: %w", err)
	}
	c.wire = newWire(c.hub.Hubs, c.hub.Pin)
	c.state = State{Site: c.id.Site, Terminal: c.id.Terminal, Lease: o.Custody.Lease()}
	if c.last != nil {
		c.state.Applied, c.state.Head, c.state.Told = c.last.Size, c.last.Head, c.last.Time
	}
	c.countPending()
	return c, nil
}

// recall reads from the store who the hub is and how far its register has been applied.
func (c *Client) recall() error {
	place, err := PlaceOf(c.o.Store)
	if err != nil {
		return err
	}
	c.hub = place.hubRecord
	if c.sign, err = register.NewVerifier(c.id.Site, c.hub.Key); err != nil {
		return err
	}
	if err := c.recallLoss(); err != nil {
		return err
	}
	_, signed := c.o.Store.Applied()
	if len(signed) == 0 {
		return nil
	}
	if c.last, err = register.OpenCheckpoint(signed, c.id.Site, c.sign); err != nil {
		return fmt.Errorf("the register's head in the store: %w", err)
	}
	c.signed = signed
	return nil
}

// Waiting reports whether this terminal has lost its keys and waits for the office to let it in again.
func (c *Client) Waiting() bool { return c.loss != nil }

// Run follows the register and delivers what is queued until ctx ends; it then returns nil. It does not end because of
// the hub or the network, however long they are away. It returns ErrWiped after a wipe order, and
// ErrReadmitted when a terminal that had lost its keys has been let in again; until then it does nothing but ask for that.
func (c *Client) Run(ctx context.Context) error {
	defer c.wire.close()
	if c.loss != nil {
		return c.seek(ctx)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return c.follow(ctx) })
	g.Go(func() error { return c.deliver(ctx) })
	return g.Wait()
}

// Wake says that something has been queued for the hub: a refusal, an enrolment, a receipt. It never blocks. Without it the queue is
// looked at every 30 seconds.
func (c *Client) Wake() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Used notes that a subject's finger has served them, for a site that erases unused fingers (D3).
func (c *Client) Used(id consent.SubjectID) {
	if p, ok := c.Profile(); !ok || p.Unused == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.used == nil {
		c.used = map[consent.SubjectID]bool{}
	}
	if len(c.used) < register.MaxUsed {
		c.used[id] = true
	}
}

// ask makes a signed request. wait is how long the hub has been told that it may wait.
func (c *Client) ask(ctx context.Context, method, path, query string, in any, wait time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+c.patience)
	defer cancel()
	var body []byte
	var err error
	if in != nil {
		if body, err = json.Marshal(in); err != nil {
			return nil, fmt.Errorf("writing to the hub: %w", err)
		}
	}
	return c.wire.tryAll(ctx, func(ctx context.Context) ([]byte, error) {
		return c.askOnce(ctx, method, path, query, body)
	})
}

func (c *Client) askOnce(ctx context.Context, method, path, query string, body []byte) ([]byte, error) {
	key, err := c.o.Store.SigningKey()
	if err != nil {
		return nil, fmt.Errorf("signing a request: %w", err)
	}
	defer clear(key)
	return c.wire.sendSigned(ctx, method, path, query, body, c.id.Site, c.id.Terminal, key)
}

// pause waits before the next try: longer each time, spread so that the terminals of a site do not come back all at once, and at
// least as long as the hub has asked for. It ends early with ctx, and with a signal on early.
func (c *Client) pause(ctx context.Context, early <-chan struct{}, tries int, err error) {
	d := min(minPause<<min(tries, 10), maxPause)
	d = time.Duration(float64(d) * (0.5 + c.o.Jitter()))
	var f *failure
	if errors.As(err, &f) {
		d = max(d, f.after)
	}
	select {
	case <-ctx.Done():
	case <-early:
	case <-c.o.After(d):
	}
}
