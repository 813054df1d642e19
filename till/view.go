package till

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tillprint/tillprint/consent"
)

// State is what the till is doing. The zero value is [Idle].
type State uint8

// The states of a till.
const (
	Idle        State = iota // nobody is being served
	Reading                  // a finger has been asked for, or is on the glass
	Keying                   // a PIN is being keyed; the sensor is not used (A15)
	Deciding                 // a PIN is being checked
	Looking                  // the operator is looking up a name
	Proposed                 // somebody is proposed; the operator confirms or rejects (G17)
	Served                   // the proposal was confirmed, or cash was taken
	TryAgain                 // the last try named nobody
	FingersOff               // a finger was asked for where none may be used; Say has the reason
	Refused                  // a pupil's "no" has been noted (A3)
	EnrolNotice              // the child-level notice, with yes and no of equal weight (B5)
	EnrolPress               // a press is awaited for an enrolment
	EnrolAlike               // the finger is too like one already enrolled for somebody else
	Enrolled                 // the enrolment is sealed into the store
)

var stateNames = [...]string{"idle", "reading", "keying", "deciding", "looking", "proposed", "served", "try-again",
	"fingers-off", "refused", "enrol-notice", "enrol-press", "enrol-alike", "enrolled"}

// String returns the state's name in lower case, as pages and tests use it.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// View is an immutable snapshot of the till: everything the operator's page
// shows. It holds no template, image, PIN digit or candidate list.
type View struct {
	Version   uint64     // grows by one with each change
	State     State      //
	Say       string     // one sentence for the operator; may be empty
	Advice    []string   // what would make the next press better, in words
	Offer     bool       // two tries failed: PIN and name are offered before another finger
	Proposal  *Proposal  // set in Proposed, Served and Refused, nil otherwise
	Keyed     int        // digits keyed so far, in Keying
	PINLength int        // digits of a PIN at this site
	NameFirst bool       // a PIN opens nothing without a claimed name
	Enrolment *Enrolment // set in the enrolment states
	Health    []Lamp     // the terminal's condition, in words
	Pupil     PupilView  // what the pupil-facing display shows
}

// Proposal is the person whom the till believes to be standing there. It
// carries no mark of the route by which that belief arose, so that no page can
// show one (C4, C5); Why answers the operator who asks (G17).
type Proposal struct {
	ID          string            // names this proposal; [Till.Confirm] wants it back
	Subject     consent.SubjectID // "" for an outside account
	Name        string            // full name, for the operator only (H13)
	Form        string            // tutor group or class
	Photo       bool              // [Till.Photo] has a picture
	Dietary     []string          // shown whatever the route
	ServedToday time.Time         // last time at this till today; zero when not. Shown, not forbidden
	Expires     time.Time         // when the proposal ends by itself
	Why         string            // what the proposal rests on: an informed guess, not a fact
}

// Enrolment is how far an enrolment has come.
type Enrolment struct {
	Subject consent.SubjectID
	Name    string
	Form    string
	Finger  string // "right index finger"
	Nth     int    // of which finger this is, from 1
	Fingers int    // how many fingers are asked for
	Press   int    // good presses of this finger so far
	Presses int    // how many are needed
	Alike   string // in EnrolAlike: the other person's name and form
}

// Level says how a lamp of the health bar stands.
type Level uint8

// Levels of a lamp, from good to bad.
const (
	Good Level = iota
	Warn
	Bad
)

// String returns "good", "warn" or "bad".
func (l Level) String() string { return [...]string{"good", "warn", "bad"}[min(l, Bad)] }

// Lamp is one part's condition in words, for the health bar.
type Lamp struct {
	Part  string // "Sensor"
	Words string // "ready"
	Level Level
}

// Display is what the pupil-facing screen shows.
type Display uint8

// What the pupil-facing screen can show. A route has no display of its own.
const (
	Welcome Display = iota
	OneMoment
	Hello
	Enjoy
	Again
	Notice // the child-level notice of an enrolment
	Press  // a press is awaited for an enrolment
	Thanks // an enrolment ended, or a "no" was noted
)

var displayNames = [...]string{"welcome", "one-moment", "hello", "enjoy", "again", "notice", "press", "thanks"}

// String returns the display's name in lower case.
func (d Display) String() string {
	if int(d) < len(displayNames) {
		return displayNames[d]
	}
	return "unknown"
}

// PupilView is all that other pupils could see: a first name and an initial,
// and nothing about how the pupil was recognised (C4, C5, H13).
type PupilView struct {
	Display Display
	Name    string // "Amina K."; empty unless Display is Hello
	Done    int    // presses taken, in Press
	Of      int    // presses needed, in Press
}

// ShortName reduces a name to what may face the queue: the first name and the
// initial of the last.
func ShortName(name string) string {
	words := strings.Fields(name)
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	}
	initial, _ := utf8.DecodeRuneInString(words[len(words)-1])
	return words[0] + " " + string(initial) + "."
}

// pupilView derives the pupil's display from the state alone, never from a
// route: that is how C4 and C5 hold by construction.
func (v *View) pupilView() PupilView {
	switch v.State {
	case Reading, Keying, Deciding, Looking:
		return PupilView{Display: OneMoment}
	case Proposed:
		return PupilView{Display: Hello, Name: ShortName(v.Proposal.Name)}
	case Served:
		return PupilView{Display: Enjoy}
	case TryAgain:
		return PupilView{Display: Again}
	case EnrolNotice:
		return PupilView{Display: Notice}
	case EnrolPress:
		return PupilView{Display: Press, Done: v.Enrolment.Press, Of: v.Enrolment.Presses}
	case Refused, Enrolled:
		return PupilView{Display: Thanks}
	}
	return PupilView{Display: Welcome}
}
