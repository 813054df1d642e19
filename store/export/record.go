package export

import (
	_ "embed"
	"errors"
	"regexp"
	"time"

	"github.com/tillprint/tillprint/consent"
)

// Format names the layout of a record and its schema.
const Format = "tillprint-subject-export/1"

// Schema is the JSON schema (draft 2020-12) of a Record; a test holds it against the type.
//
//go:embed schema.json
var Schema string

// Record is what one holder, the hub or a terminal, has about one subject.
type Record struct {
	Format     string            `json:"format"`
	Made       time.Time         `json:"made"`
	Holder     string            `json:"holder"` // "hub" or the terminal's name
	Site       Site              `json:"site"`
	Order      Order             `json:"order"`
	Subject    consent.SubjectID `json:"subject"`
	Processing []Answer          `json:"processing"` // what the law wants said besides the data (G1)
	Person     *Person           `json:"person,omitempty"`
	Standing   *Standing         `json:"standing,omitempty"`
	Statements []Statement       `json:"statements"`
	Templates  []Template        `json:"templates"`
	History    []Event           `json:"history"`
	LeftOut    []string          `json:"left_out"` // what is held and not in here, and why
}

// Site is the school.
type Site struct {
	ID      string `json:"id"`
	Name    string `json:"name,omitempty"`
	Contact string `json:"contact,omitempty"` // for data protection
}

// Order is why an export was made. It travels in the hub's signed register, without the requester: that is not for ever.
type Order struct {
	ID        string            `json:"id"`
	Subject   consent.SubjectID `json:"subject"`
	Recipient string            `json:"recipient"` // age recipient, "age1..."
	Asked     time.Time         `json:"asked"`
	Confirmed time.Time         `json:"confirmed"`
	Requester string            `json:"requester,omitempty"` // who asked: subject, parent, another organisation
	Identity  string            `json:"identity,omitempty"`  // how the requester's identity was checked (G13)
}

var orderID = regexp.MustCompile(`^x_[0-9a-f]{16}$`)

// Check says what is wrong with an order.
func (o *Order) Check() error {
	if !orderID.MatchString(o.ID) || len(o.Requester) > consent.MaxField || len(o.Identity) > consent.MaxField {
		return errors.New("an export's order is out of bounds")
	}
	if _, err := consent.ParseSubjectID(string(o.Subject)); err != nil {
		return err
	}
	if !o.Confirmed.After(o.Asked) {
		return errors.New("an export was not confirmed after it was asked for (G13)")
	}
	return CheckRecipient(o.Recipient)
}

// Answer is one heading of the answer to a request for access and what is to be said under it.
type Answer struct {
	Heading string `json:"heading"`
	Text    string `json:"text"`
}

// Person is the subject's own record.
type Person struct {
	Name       string        `json:"name"`
	Form       string        `json:"form,omitempty"`
	Class      consent.Class `json:"class"`
	Dietary    []string      `json:"dietary,omitempty"`
	Photo      []byte        `json:"photo,omitempty"` // JPEG or PNG
	PIN        bool          `json:"pin"`             // there is a verifier; the digits are known to nobody
	Eighteenth consent.Date  `json:"eighteenth,omitzero"`
	LeavesOn   consent.Date  `json:"leaves_on,omitzero"`
	LastUsed   consent.Date  `json:"last_used,omitzero"` // a finger, to about a month
	Roster     string        `json:"roster,omitempty"`
	Restricted bool          `json:"restricted,omitempty"` // F5, G11
	Hold       bool          `json:"hold,omitempty"`       // G12
}

// Standing is what was decided about the subject's fingers, by rule (G17).
type Standing struct {
	Decision consent.Decision `json:"decision"`
	Reasons  []consent.Reason `json:"reasons"`
	Ends     []consent.End    `json:"ends,omitempty"`
	Refused  bool             `json:"refused,omitempty"` // at the terminal that holds this
}

// Statement is what was said about the subject's fingers. Who said it appears as a capacity and a number of the subject's own
// record, "g_1", not as a name.
type Statement struct {
	At       time.Time        `json:"at"`
	By       string           `json:"by"`
	Capacity consent.Capacity `json:"capacity"`
	Kind     consent.Kind     `json:"kind"`
	Form     consent.Form     `json:"form"`
	Notice   string           `json:"notice,omitempty"`
	Evidence string           `json:"evidence,omitempty"`
	ReviewBy consent.Date     `json:"review_by,omitzero"`
}

// Template describes one template; the template itself is the file of that name.
type Template struct {
	File     string    `json:"file"`
	Finger   uint8     `json:"finger"` // ISO/IEC 19794-2, table 2: 1 right thumb to 10 left little finger
	Minutiae int       `json:"minutiae"`
	Quality  uint8     `json:"quality"` // 0 to 100
	Captured time.Time `json:"captured"`
	Terminal string    `json:"terminal,omitempty"` // that captured it
}

// Event is one thing that was done with the subject's data (F6).
type Event struct {
	At    time.Time `json:"at"`
	What  string    `json:"what"`
	Route string    `json:"route,omitempty"` // finger, pin, name
	Band  string    `json:"band,omitempty"`  // of a match: how far the score lay from the threshold
	Limit string    `json:"limit,omitempty"` // the threshold
	Row   string    `json:"row,omitempty"`   // requirement that asked for it
	Count int       `json:"count,omitempty"` // templates
}

// File is one file of an export in clear. The caller clears it.
type File struct {
	Name string
	Data []byte
}
