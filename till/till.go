package till

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tillprint/tillprint/consent"
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
	claimed  consent.SubjectID  // whose PIN is being keyed, where a name comes first; "" otherwise
	tries    int                // failed tries for this basket
	throttle throttle           //
	served   map[consent.SubjectID]time.Time
	refused  map[consent.SubjectID]bool // refused here and not yet on the disk
	like     string                     // a verifier of this site's cost, for PINs that nobody has
	trouble  int                        // refusals and log entries that the disk has not taken
	lent     string                     // why the sensor is somebody else's for a while; "" when it is not
	acting   string                     // the account whose action is being done
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
	account string // who does it; "" for whoever works the till
	run     func() error
	done    chan error
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
		t.reader = newReader(parts.OpenScanner, parts.Custody.Biometrics)
	}
	t.view.PINLength = cfg.PINLength
	t.publish()
	return t, nil
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
	t.recallThrottle()
	t.idle("")
	t.publish()
	for {
		select {
		case <-t.ctx.Done():
			t.unconfirmed()
			t.endEnrolment(actionGivenUp)
			return nil
		case a := <-t.actions:
			t.acting = a.account
			err := a.run()
			t.acting = ""
			t.publish()
			a.done <- err // who acted finds the view that followed
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
