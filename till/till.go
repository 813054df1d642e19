package till

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
)

// ProposalLife is how long a proposal can be confirmed: a recognition must never
// attach to the next pupil's basket.
const ProposalLife = 5 * time.Second

// How long the till stays in a state by itself. None of them holds up anybody:
// each action is open in each of these states.
const (
	stayReading  = 10 * time.Second
	stayKeying   = 20 * time.Second
	stayDeciding = 15 * time.Second
	stayLooking  = 60 * time.Second
	stayServed   = 5 * time.Second
	stayMessage  = 15 * time.Second
	stayEnrol    = 3 * time.Minute
	healthEvery  = time.Second
	triesOffer   = 2 // failed tries after which PIN and name are offered (G18)
)

// Errors that actions return. The view says the same in words.
var (
	ErrStale   = errors.New("till: that proposal is over; identify the pupil again")
	ErrBusy    = errors.New("till: not possible at this moment; finish or clear what is on the screen")
	ErrStopped = errors.New("till: the till has stopped")
)

// Till is the serving state machine. Its methods may be called from any
// goroutine; all fields below the line belong to the goroutine in Run.
type Till struct {
	cfg      Config
	parts    Parts
	reader   *reader
	names    *directory
	actions  chan action
	events   chan func()
	stopped  chan struct{}
	current  atomic.Pointer[View]
	touching chan struct{} // held by who waits for the touch line
	board    board
	workers  sync.WaitGroup

	// ---- owned by Run
	ctx      context.Context    // ends with Run
	turnCtx  context.Context    // ends with the turn
	endTurn  context.CancelFunc //
	turn     uint64             // counts turns; a result of another turn is stale
	timer    *time.Timer        // fires when the state has lasted long enough
	until    time.Time          // when it will; zero when it never does
	view     View               // the next snapshot
	who      identity           // behind view.Proposal
	digits   []byte             // PIN digits keyed so far; cleared when the state is left
	tries    int                // failed tries for this basket
	throttle throttle           //
	served   map[consent.SubjectID]time.Time
	refused  map[consent.SubjectID]bool // refused here and not yet on the disk
	like     string                     // a verifier of this site's cost, for PINs that nobody has
	trouble  int                        // refusals and log entries that the disk has not taken
	enrolment
}

// identity is who stands behind the current proposal.
type identity struct {
	subject consent.SubjectID
	outside string
	finger  bool // rests on a finger: consent is asked again at the confirmation
	photo   []byte
	route   string     // for the audit log only (C5)
	band    audit.Band // how clear a match was; never a score (F7)
	limit   string     // the threshold that applied
}

type action struct {
	run  func() error
	done chan error
}

// New makes a till; Run starts it.
func New(cfg Config, parts Parts) (*Till, error) {
	if parts.Gallery == nil || parts.Custody == nil || parts.People == nil || parts.Audit == nil {
		return nil, errors.New("till: a till needs a gallery, a custody, people and an audit log")
	}
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	if parts.Now == nil {
		parts.Now = time.Now
	}
	if parts.Rand == nil {
		parts.Rand = rand.Reader
	}
	t := &Till{cfg: cfg, parts: parts,
		actions: make(chan action), events: make(chan func(), 16), stopped: make(chan struct{}), touching: make(chan struct{}, 1),
		names: &directory{people: parts.People}, like: standIn,
		served: map[consent.SubjectID]time.Time{}, refused: map[consent.SubjectID]bool{}}
	if cfg.Biometrics && parts.OpenScanner != nil {
		t.reader = newReader(parts.OpenScanner)
	}
	t.view.PINLength = cfg.PINLength
	t.publish()
	return t, nil
}

// complete fills in defaults and checks the rest.
func (c *Config) complete() error {
	if c.PINLength == 0 {
		c.PINLength = 6
	}
	if c.PINLength < 4 || c.PINLength > 10 {
		return fmt.Errorf("till: PINs of %d digits: use 4 to 10, better 6", c.PINLength)
	}
	if len(c.Fingers) == 0 {
		c.Fingers = []uint8{2, 7}
	}
	for _, f := range c.Fingers {
		if f < 1 || f > 10 {
			return fmt.Errorf("till: finger position %d: use 1 (right thumb) to 10 (left little finger)", f)
		}
	}
	if c.Policy == (matcher.Policy{}) {
		c.Policy = matcher.DefaultPolicy
	}
	if c.Quality == 0 {
		c.Quality = 25
	}
	if c.Operator == "" {
		c.Operator = "operator"
	}
	if _, err := (audit.Event{Kind: audit.Start, At: time.Unix(0, 0), Operator: c.Operator}).Text(); err != nil {
		return fmt.Errorf("till: the operator's account %.70q: use a short word of letters, digits and \".-\"", c.Operator)
	}
	return nil
}

// Run serves until ctx ends. It returns nil then, and never earlier.
func (t *Till) Run(ctx context.Context) error {
	var stop context.CancelFunc
	t.ctx, stop = context.WithCancel(ctx)
	t.timer = time.NewTimer(time.Hour)
	t.turnCtx, t.endTurn = context.WithCancel(t.ctx)
	health := time.NewTicker(healthEvery)
	defer func() {
		stop()
		health.Stop()
		t.timer.Stop()
		close(t.stopped)
		t.workers.Wait()
		t.wind()
	}()
	if t.reader != nil {
		t.workers.Go(func() { t.reader.keepOpen(t.ctx) })
	}
	t.recallServed()
	t.idle("")
	t.publish()
	for {
		select {
		case <-t.ctx.Done():
			return nil
		case a := <-t.actions:
			a.done <- a.run()
		case apply := <-t.events:
			apply()
		case <-t.timer.C:
			t.expire()
		case <-health.C:
		}
		t.publish()
	}
}

// wind clears what is left when the till has stopped and its workers are done:
// results still under way belong to a turn that is over, and clear themselves.
func (t *Till) wind() {
	t.turn++
	for len(t.events) > 0 {
		(<-t.events)()
	}
	t.dropEnrolment()
	t.forget()
}

// do runs an action on the till's goroutine and returns its error. The view
// that follows from it is published before the next action is taken.
func (t *Till) do(ctx context.Context, run func() error) error {
	a := action{run, make(chan error, 1)}
	select {
	case t.actions <- a:
		return <-a.done
	case <-t.stopped:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// start runs work beside the till, with a context that ends with this turn. What
// work returns is run on the till's goroutine, unless the turn is over by then.
func (t *Till) start(work func(ctx context.Context) func()) {
	turn, ctx := t.turn, t.turnCtx
	t.workers.Go(func() { t.post(turn, work(ctx)) })
}

// finish runs work that must end whatever the till does meanwhile: a refusal, an
// audit event.
func (t *Till) finish(work func(ctx context.Context) func()) {
	t.workers.Go(func() {
		ctx := context.WithoutCancel(t.ctx)
		apply := work(ctx)
		t.send(apply)
	})
}

// post hands apply to the till's goroutine for the given turn.
func (t *Till) post(turn uint64, apply func()) {
	t.send(func() {
		if turn == t.turn && apply != nil {
			apply()
		}
	})
}

// send reports whether apply will be run; it is, also while the till stops.
func (t *Till) send(apply func()) bool {
	if apply == nil {
		return true
	}
	select {
	case t.events <- apply:
		return true
	case <-t.stopped:
		return false
	}
}

// enter begins a new turn. What was under way is cancelled, and its result,
// should one still come, belongs to a turn that is over.
func (t *Till) enter(state State, say string, stay time.Duration) {
	t.endTurn()
	t.turn++
	t.turnCtx, t.endTurn = context.WithCancel(t.ctx)
	t.show(state, say, stay)
	t.forget()
}

// show changes what is shown without ending the turn.
func (t *Till) show(state State, say string, stay time.Duration) {
	if t.view.State == Served {
		for _, o := range t.parts.Outlets {
			o.Cleared()
		}
	}
	t.view.State, t.view.Say, t.view.Advice, t.view.Offer = state, say, nil, false
	t.view.Proposal, t.view.Enrolment, t.view.Keyed = nil, nil, 0
	t.until = time.Time{}
	t.timer.Stop()
	if stay > 0 {
		t.until = time.Now().Add(stay) // the monotonic clock: a step of the wall clock must not stretch a proposal
		t.timer.Reset(stay)
	}
}

// forget clears what must not outlive a turn.
func (t *Till) forget() {
	clear(t.digits)
	t.digits = t.digits[:0]
	t.who = identity{}
}

// expire ends a state that has lasted its time.
func (t *Till) expire() {
	switch t.view.State {
	case Proposed:
		t.idle("Nobody confirmed in time. Identify the pupil again.")
	case Reading:
		t.idle("No finger came.")
	case EnrolNotice, EnrolPress, EnrolAlike:
		t.dropEnrolment()
		t.idle("The enrolment was given up: nothing came for a while. Nothing has been kept.")
	default:
		t.idle("")
	}
}

// idle waits for the next basket.
func (t *Till) idle(say string) {
	t.tries = 0
	t.enter(Idle, say, 0)
	t.arm()
}

// newID draws the id of a proposal.
func (t *Till) newID() (string, error) {
	var b [10]byte
	if _, err := io.ReadFull(t.parts.Rand, b[:]); err != nil {
		return "", fmt.Errorf("till: drawing a proposal id: %w", err)
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:])), nil
}

// person reads a person for display. The error is for the operator.
func (t *Till) person(id consent.SubjectID) (store.Person, error) {
	p, err := t.parts.People.Person(id)
	if err != nil {
		return p, fmt.Errorf("till: reading a person's record: %w; serve by name or cash and tell the office", err)
	}
	return p, nil
}
