package audit

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tillprint/tillprint/consent"
)

// Kind says what happened.
type Kind string

const (
	Start    Kind = "start"    // the store was opened: by the daemon, once a run, or by the command that Action names ("open/doctor")
	Stop     Kind = "stop"     // it was closed in order by who had opened it
	Enrol    Kind = "enrol"    // templates were sealed into the store
	Match    Kind = "match"    // a finger was identified, or not
	Refusal  Kind = "refusal"  // a subject said no at this terminal (A3)
	Wipe     Kind = "wipe"     // keys were destroyed and the records that they opened deleted
	Command  Kind = "command"  // a command of the register was carried out, or was not (Action), a subject's standing changed without a wipe, or the lease ended
	Operator Kind = "operator" // an operator did something worth recording
	KeyEvent Kind = "key"      // a root key was made, replaced, lost or found wrong (H15, H16)
	Fault    Kind = "fault"    // something was found broken or suspicious, or holds again (Action)
	Pruned   Kind = "pruned"   // old records were dropped from the log; Count says how many
)

// Event is one record of the log. Fields that do not apply stay empty. All text fields but Subject hold short words
// of letters, digits and "._:/+-()", never a sentence, so that nothing personal can slip in.
type Event struct {
	Kind     Kind
	At       time.Time         // whole seconds, in UTC
	Subject  consent.SubjectID // whose finger or record; empty for the terminal itself
	Row      string            // the requirement that triggered it, such as "A12"
	Operator string            // account of the operator, not a name
	Action   string            // what a command, operator, key or fault event was about; TakenOver of a match
	Route    string            // of a match: "finger", "pin", "name", ...
	Band     Band              // of a match
	Limit    string            // of a match: the threshold that applied
	Seq      uint64            // register sequence that was in force
	Epoch    uint64            // key epoch after the event
	Count    int               // templates enrolled or removed, records dropped
	Places   []string          // where a wipe removed something: "gallery", "key", "records", "person"
}

// TakenOver is the Action of a match that happened in an earlier log, which was set aside the same day.
const TakenOver = "taken-over"

// Band is a coarse score, relative to the threshold: enough to explain a decision (G17), too little to rebuild a finger.
type Band string

const (
	Far    Band = "far"    // below half of the threshold
	Near   Band = "near"   // below the threshold
	Clear  Band = "clear"  // up to twice the threshold
	Strong Band = "strong" // above
)

// BandOf gives the band of a score.
func BandOf(score, threshold float64) Band {
	switch {
	case score >= 2*threshold:
		return Strong
	case score >= threshold:
		return Clear
	case score >= threshold/2:
		return Near
	}
	return Far // NaN too
}

var (
	word  = regexp.MustCompile(`^[A-Za-z0-9._:/()+-]{1,64}$`)
	kinds = map[Kind]bool{Start: true, Stop: true, Enrol: true, Match: true, Refusal: true, Wipe: true, Command: true,
		Operator: true, KeyEvent: true, Fault: true, Pruned: true}
	bands = map[Band]bool{"": true, Far: true, Near: true, Clear: true, Strong: true}
)

// Word returns s if an event's text field may hold it, else "other": a refusal is never lost over its operator's name.
func Word(s string) string {
	if s == "" || word.MatchString(s) {
		return s
	}
	return "other"
}

const maxRecord = 2 << 10 // bytes; the widest event has about half

// Text is the record as it stands in the log: one "name: value" line for each field that is set, in a fixed order.
// ParseEvent gives the event back, and the same event always has the same text.
func (e Event) Text() (string, error) {
	if err := e.check(); err != nil {
		return "", err
	}
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	line("kind", string(e.Kind))
	line("time", e.At.UTC().Format(time.RFC3339))
	line("subject", string(e.Subject))
	line("row", e.Row)
	line("operator", e.Operator)
	line("action", e.Action)
	line("route", e.Route)
	line("band", string(e.Band))
	line("limit", e.Limit)
	line("sequence", number(e.Seq))
	line("epoch", number(e.Epoch))
	line("count", number(uint64(e.Count)))
	line("places", strings.Join(e.Places, " "))
	return b.String(), nil
}

func number(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

func (e Event) check() error {
	if !kinds[e.Kind] {
		return fmt.Errorf("audit: %.20q is no kind of event", string(e.Kind))
	}
	if !bands[e.Band] {
		return fmt.Errorf("audit: %.20q is no score band", string(e.Band))
	}
	if y := e.At.UTC().Year(); y < 1970 || y > 9999 {
		return fmt.Errorf("audit: an event in the year %d", y)
	}
	if e.Count < 0 || len(e.Places) > 8 {
		return fmt.Errorf("audit: %s event out of bounds", e.Kind)
	}
	if e.Subject != "" {
		if _, err := consent.ParseSubjectID(string(e.Subject)); err != nil {
			return err
		}
	}
	for _, w := range append([]string{e.Row, e.Operator, e.Action, e.Route, e.Limit}, e.Places...) {
		if w != "" && !word.MatchString(w) {
			return fmt.Errorf("audit: a %s event may hold short words only", e.Kind)
		}
	}
	return nil
}

// ParseEvent reads the text of a record, strictly: only what Text can write is accepted.
func ParseEvent(text string) (Event, error) {
	var e Event
	if len(text) > maxRecord {
		return e, fmt.Errorf("audit: a record of %d bytes is longer than %d", len(text), maxRecord)
	}
	for l := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSuffix(l, "\n"), ": ")
		if !ok || !e.set(name, value) {
			return Event{}, fmt.Errorf("audit: unreadable record line %.40q", l)
		}
	}
	back, err := e.Text()
	if err != nil {
		return Event{}, err
	}
	if back != text {
		return Event{}, fmt.Errorf("audit: the record is not written as this program writes it")
	}
	return e, nil
}

// set fills one field; ParseEvent compares the whole afterwards, so doubled and misplaced lines need no check here.
func (e *Event) set(name, value string) bool {
	var err error
	switch name {
	case "kind":
		e.Kind = Kind(value)
	case "time":
		e.At, err = time.Parse(time.RFC3339, value)
		e.At = e.At.UTC()
	case "subject":
		e.Subject = consent.SubjectID(value)
	case "row":
		e.Row = value
	case "operator":
		e.Operator = value
	case "action":
		e.Action = value
	case "route":
		e.Route = value
	case "band":
		e.Band = Band(value)
	case "limit":
		e.Limit = value
	case "sequence":
		e.Seq, err = strconv.ParseUint(value, 10, 64)
	case "epoch":
		e.Epoch, err = strconv.ParseUint(value, 10, 64)
	case "count":
		e.Count, err = strconv.Atoi(value)
	case "places":
		e.Places = strings.Split(value, " ")
	default:
		return false
	}
	return err == nil
}
