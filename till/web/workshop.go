package web

import (
	"context"
	"errors"
	"time"

	"github.com/tillprint/tillprint/till"
)

// Workshop is what a technician can ask of the terminal around a till. Nothing that it gives out is personal. Its methods may
// be called from any goroutine.
type Workshop interface {
	// Examine looks at the terminal now, as 'tillprint doctor' does.
	Examine() Examination
	// Bundle is a support bundle: a compressed archive.
	Bundle(ctx context.Context) ([]byte, error)
	// StartTest begins a self-test, with hands where somebody stands there to do as it says. It does not wait for the end.
	StartTest(hands bool) error
	// Answer says whether the question of the test that is under way is to be answered with yes.
	Answer(yes bool) error
	// Test is how the last test stands, and a channel that is closed when that has changed.
	Test() (Test, <-chan struct{})
	// Decommission orders the terminal's end, for good. terminal is its name, as a confirmation. It does not wait: what serves
	// the pages ends, and [Ended] takes its place.
	Decommission(terminal string) error
	// Leaving reports whether that has been ordered.
	Leaving() bool
}

// What a workshop may refuse.
var (
	ErrUnderWay   = errors.New("a self-test is under way already; wait for its end")
	ErrNoQuestion = errors.New("nothing is asked now")
	ErrOtherName  = errors.New("that is not this terminal's name; nothing was done")
	ErrLeaving    = errors.New("this terminal is being decommissioned already")
	ErrNoStore    = errors.New("not while the store cannot be opened: mend what the page says of it first")
)

// Examination is what the doctor found.
type Examination struct {
	Site, Terminal, Version string
	At                      time.Time // by the terminal's clock
	Findings                []till.Lamp
	Waiting                 int    // messages that the hub has not had yet
	Trouble                 string // why the last order to decommission came to nothing; "" if none did
}

// Test is a self-test: under way, or the last one.
type Test struct {
	Running  bool
	Say      string // what somebody is to do, or a question
	Question bool
	Found    []till.Lamp
	At       time.Time // of its end; zero while it runs, or where there was none
	Trouble  string    // why it came to nothing
}
