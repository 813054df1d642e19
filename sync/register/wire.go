package register

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/pin"
)

// Codes of a Failure.
const (
	CodeMalformed = "malformed" // 400
	CodeNonce     = "nonce"     // 401: unknown or used; try again with the fresh one
	CodeSignature = "signature" // 401
	CodeRemoved   = "removed"   // 403: the terminal is no longer of the site
	CodeToken     = "token"     // 403: the join token is unknown, used or out of date
	CodeUnknown   = "unknown"   // 404
	CodeRollback  = "rollback"  // 409
	CodeSize      = "size"      // 413
	CodeBusy      = "busy"      // 429, 503
)

// Failure is the body of every answer with a status of 400 or more.
type Failure struct {
	Code   string `json:"code"`
	Detail string `json:"detail"` // one sentence for a person, without personal data
}

// JoinRequest redeems a token. Proof shows that the terminal holds the signing key: see ProveJoin.
type JoinRequest struct {
	Site  string            `json:"site"`
	Token string            `json:"token"`
	Name  string            `json:"name"` // wished terminal name; empty leaves it to the hub
	Sign  ed25519.PublicKey `json:"sign"`
	Seal  []byte            `json:"seal"` // HPKE public key
	Proof []byte            `json:"proof"`
}

// JoinAnswer tells a terminal who it is and whom to trust.
type JoinAnswer struct {
	Terminal string            `json:"terminal"`
	Site     string            `json:"site"`
	Key      ed25519.PublicKey `json:"key"`    // the hub's key: checkpoints and the hub's envelopes
	Pepper   *Envelope         `json:"pepper"` // purpose Pepper, sealed to the new terminal
}

// ProveJoin signs a join request with the terminal's key.
func (r *JoinRequest) ProveJoin(key ed25519.PrivateKey) { r.Proof = ed25519.Sign(key, r.text()) }

// Check says whether a join request is well formed and proves its key. The token is the hub's to judge.
func (r *JoinRequest) Check() error {
	if !ValidName(r.Site) || r.Name != "" && (!ValidName(r.Name) || r.Name == Hub) || len(r.Token) > 64 {
		return fmt.Errorf("%w: a join request's names", ErrMalformed)
	}
	if _, err := ParseSealPublic(r.Seal); err != nil {
		return err
	}
	if len(r.Sign) != ed25519.PublicKeySize || !ed25519.Verify(r.Sign, r.text(), r.Proof) {
		return fmt.Errorf("%w: a join request", ErrUnsigned)
	}
	return nil
}

func (r *JoinRequest) text() []byte {
	return fmt.Appendf(nil, "tillprint join v1\n%s\n%s\n%s\n%x\n%x\n", r.Site, r.Token, r.Name, []byte(r.Sign), r.Seal)
}

// PeopleRequest asks for person records, at most MaxEnvelopes at a time.
type PeopleRequest struct {
	Subjects []consent.SubjectID `json:"subjects"`
}

// Person is what a terminal may know about a subject, and no more (F1). It travels only inside an envelope.
type Person struct {
	Name        string        `json:"name"`
	Form        string        `json:"form,omitempty"`
	Class       consent.Class `json:"class"`
	Photo       []byte        `json:"photo,omitempty"`        // JPEG or PNG, at most 64 KiB
	Dietary     []string      `json:"dietary,omitempty"`      // alerts, at most 16
	PINIndex    []byte        `json:"pin_index,omitempty"`    // HMAC-SHA256 of the PIN under the site's pepper
	PINVerifier string        `json:"pin_verifier,omitempty"` // Argon2id in PHC form
}

// Marshal writes a person record for sealing.
func (p *Person) Marshal() ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	return json.Marshal(p)
}

// ParsePerson reads an opened person record.
func ParsePerson(b []byte) (*Person, error) {
	p := new(Person)
	if err := decodeStrict(b, MaxEnvelope/2, p); err != nil {
		return nil, fmt.Errorf("%w: reading a person record", ErrMalformed) // the cause could quote the record
	}
	return p, p.check()
}

func (p *Person) check() error {
	if p.Name == "" || len(p.Name) > 200 || len(p.Form) > 50 || len(p.Photo) > 64<<10 ||
		len(p.Dietary) > 16 || len(p.PINIndex) > 64 || len(p.PINVerifier) > 200 {
		return fmt.Errorf("%w: a person record out of bounds", ErrMalformed)
	}
	for _, d := range p.Dietary {
		if len(d) > 100 {
			return fmt.Errorf("%w: a person record out of bounds", ErrMalformed)
		}
	}
	return nil
}

// ReportKind is what a report tells.
type ReportKind string

const (
	ReportReceipt         ReportKind = "receipt"          // Body is a signed receipt as the audit log wrote it
	ReportRefusal         ReportKind = "refusal"          // the subject refused at the till (A3); Operator took it
	ReportRefusedTemplate ReportKind = "refused-template" // a template came without a permit (A16)
	ReportDecommissioned  ReportKind = "decommissioned"   // Body is the signed certificate: this terminal is no more (L1)
	ReportAlert           ReportKind = "alert"            // Body is one sentence without personal data (H16, H17)
)

// Report is one thing that the hub must learn of. Its ID is drawn or derived by the terminal; the hub takes each ID once.
type Report struct {
	ID       string            `json:"id"` // 1 to 64 characters
	Kind     ReportKind        `json:"kind"`
	Seq      uint64            `json:"seq"` // of the register, as applied when it happened
	Subject  consent.SubjectID `json:"subject,omitempty"`
	At       time.Time         `json:"at"` // by the terminal's clock
	Operator string            `json:"operator,omitempty"`
	Body     string            `json:"body,omitempty"` // at most 16 KiB
}

// MaxReports is how many reports go in one request.
const MaxReports = 100

// Reports is the body of POST /v1/reports.
type Reports struct {
	Reports []Report `json:"reports"`
}

// Check says whether a report is within its bounds.
func (r *Report) Check() error {
	if r.ID == "" || len(r.ID) > 64 || len(r.Kind) > 32 || len(r.Operator) > 100 || len(r.Body) > 16<<10 {
		return fmt.Errorf("%w: a report out of bounds", ErrMalformed)
	}
	if r.Subject == "" {
		return nil
	}
	_, err := consent.ParseSubjectID(string(r.Subject))
	return err
}

// Envelopes is the body of POST /v1/mailbox.
type Envelopes struct {
	Envelopes []*Envelope `json:"envelopes"`
}

// ExportPart is the body of POST /v1/exports: what this terminal holds about the subject of an order, sealed to the order's
// recipient.
type ExportPart struct {
	Order  string `json:"order"`  // its id
	Sealed []byte `json:"sealed"` // in the age format
}

// Taken is the body of POST /v1/mailbox/taken: at most MaxEnvelopes ids, of envelopes that need not be sent again.
type Taken struct {
	IDs []string `json:"ids"`
}

// Accepted answers a list item by item. What is in neither list should be sent again.
type Accepted struct {
	Done    []string      `json:"done"` // ids that the hub has stored durably, now or earlier
	Refused []RefusedItem `json:"refused,omitempty"`
	// Head is the last entry of the register once everything in Done had its effect there: whatever comes after Head was
	// decided in full knowledge of it. A terminal lets a later consent answer a refusal at the till only after that.
	Head uint64 `json:"head,omitempty"`
}

// RefusedItem is something that will not be accepted however often it is sent.
type RefusedItem struct {
	ID  string `json:"id"`
	Why string `json:"why"`
}

// Witness is what a terminal shows of its audit log, to have it countersigned: its head, and a proof that it holds all of
// what the hub has countersigned before.
type Witness struct {
	Earlier   int64       `json:"earlier"`         // records of the log that the proof begins with; 0 without a proof
	Proof     []tlog.Hash `json:"proof,omitempty"` // RFC 6962 consistency proof, at most 64 hashes
	Head      string      `json:"head"`            // checkpoint that the terminal has signed
	Refetched uint64      `json:"refetched"`       // the last Refetch command that it has carried out
}

// Witnessed answers a Witness: countersigned, or to be asked again from another earlier head, or rewound.
type Witnessed struct {
	Head    string `json:"head,omitempty"`    // the checkpoint with the hub's signature added
	Known   int64  `json:"known,omitempty"`   // records that the hub has countersigned: prove from there
	Rewound bool   `json:"rewound,omitempty"` // the log is not a continuation; a Refetch command is in the register
}

// Status is how a terminal stands. The counts answer "what was on it" after the device is gone (J3).
type Status struct {
	Applied   uint64      `json:"applied"` // register sequence
	Version   string      `json:"version"`
	At        time.Time   `json:"at"`
	Clock     bool        `json:"clock"` // the terminal trusts its clock
	Mode      Mode        `json:"mode,omitempty"`
	Fingers   bool        `json:"fingers"` // fingers are being matched
	Why       string      `json:"why,omitempty"`
	Pupils    int         `json:"pupils"` // person records held, by class
	Adults    int         `json:"adults"`
	Photos    int         `json:"photos"`   // person records with a photo
	PINs      int         `json:"pins"`     // person records with a PIN verifier
	Subjects  int         `json:"subjects"` // with at least one template
	Templates int         `json:"templates"`
	Log       int64       `json:"log"`                 // records of the audit log that are there
	Standings int         `json:"standings,omitempty"` // subjects that the register has named
	Cipher    string      `json:"cipher"`              // what everything above is sealed with (J4)
	Epoch     uint64      `json:"epoch"`               // root keys so far: every wipe takes the next
	Promise   string      `json:"promise"`             // what the key slot says that a wipe is worth
	Opened    time.Time   `json:"opened,omitzero"`     // when its key slot last opened it; its keys are in memory since (J4)
	PINCost   pin.Cost    `json:"pin_cost,omitzero"`   // of an Argon2id check that takes 300 to 500 ms here; zero until measured
	Pending   int         `json:"pending"`             // reports and envelopes not yet delivered
	SelfTest  []Check     `json:"self_test,omitempty"` // of the last one, at most 24
	Tested    time.Time   `json:"tested,omitzero"`     // when that was
	Update    UpdateState `json:"update,omitzero"`
	Board     string      `json:"board,omitempty"`  // its model as the firmware calls it, at most 100 bytes
	Errors    []string    `json:"errors,omitempty"` // at most 16, one sentence each, no personal data
	// Used are subjects whose fingers have served them since the last status, at most MaxUsed, and only where the profile asks for it
	// (D3). Neither when nor how often is told, and the hub keeps a date to about a month (F1).
	Used []consent.SubjectID `json:"used,omitempty"`
}

// Check is one part that a terminal has tried, and what it found.
type Check struct {
	Part  string `json:"part"`
	Level string `json:"level"` // good, warn or bad
	Words string `json:"words"` // at most 500 bytes, no personal data
}

// Plausible reports whether a status is within its bounds. What it says of PINCost is the hub's to judge.
func (s *Status) Plausible() bool {
	for _, c := range s.SelfTest {
		if len(c.Part) > 40 || len(c.Level) > 8 || len(c.Words) > 500 {
			return false
		}
	}
	return s.Update.plausible() && s.Applied <= 1<<40 && s.Epoch <= 1<<40 && len(s.Version) <= 100 && len(s.Board) <= 100 && len(s.Mode) <= 16 && len(s.Why) <= 500 &&
		len(s.Errors) <= 16 && len(s.Cipher) <= 100 && len(s.Promise) <= 1000 && len(s.SelfTest) <= 24 && len(s.Used) <= MaxUsed
}

// MaxUsed is how many subjects one Status can name.
const MaxUsed = 2000

// Decode reads a JSON body strictly: at most MaxBody bytes, no unknown keys, nothing after the value.
func Decode(body []byte, v any) error {
	if err := decodeStrict(body, MaxBody, v); err != nil {
		return fmt.Errorf("%w: reading a body: %v", ErrMalformed, err)
	}
	return nil
}
