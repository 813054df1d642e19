package store

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/audit"
)

// Identity says whose store it is. Everything sealed is bound to it.
type Identity struct {
	Site     string // one school
	Terminal string // one terminal of that school
}

var identityWord = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

func (id Identity) check() error {
	if !identityWord.MatchString(id.Site) || !identityWord.MatchString(id.Terminal) {
		return fmt.Errorf("store: the site and the terminal need short names of letters, digits, '.', '_' and '-', not %.70q and %.70q", id.Site, id.Terminal)
	}
	return nil
}

func (id Identity) String() string { return "terminal " + id.Terminal + " of site " + id.Site }

// Options are the store's surroundings. The zero value is the machine itself.
type Options struct {
	Rand     io.Reader         // source of keys and nonces; crypto/rand when nil
	Seed     []byte            // Create: seed of the terminal's signing key, 32 bytes; drawn from Rand when nil. The caller clears it
	Secrets  map[string][]byte // Create: as SetSecrets takes them, in the same step. The caller clears them
	Now      func() time.Time  // time of day; time.Now when nil
	Location *time.Location    // the site's time zone, in which dates begin; UTC when nil
	Timeout  time.Duration     // how long Open waits for another process to leave; 2 s when 0
	Untried  bool              // Open: this version is on trial. Records that it doubts are an error, and stay for the version before it
	Command  string            // what opens the store, such as "doctor", for the log; "" is the daemon

	// OnStep is called after each durable step of a write, with its name, while the store is locked: a crash test or
	// a demonstration ends the process there. It must not call the store. The steps of a wipe are, in order,
	// StepPending, StepSlot, StepTable, StepRetired and StepDone.
	OnStep func(step string)

	create  bool                   // the store is being made: it has no records yet
	syncDir func(dir string) error // durable.SyncDir; tests put a disk here that fails
}

// The durable steps of a write. What Open does after a crash at each is said beside it.
const (
	StepKeys    = "keys"    // keys for new subjects are in the table; nothing is sealed under them yet
	StepRecords = "records" // a change without a wipe is in the database: Open advances the table's sequence
	StepPending = "pending" // the wipe is noted and the subject refused: Open does all of the rest
	StepSlot    = "slot"    // the next root key exists: Open forgets it and begins again from StepPending
	StepTable   = "table"   // THE COMMIT: the table without the keys stands: Open retires the old root key and tidies
	StepRetired = "retired" // the old root key is dead: Open tidies
	StepDone    = "done"    // rows deleted, logged, receipts queued
)

// Person is what serving by PIN and by name needs, and no more (F1). It is sealed under the subject's person key.
type Person struct {
	Name        string        `json:"name"`
	Form        string        `json:"form,omitempty"` // school class, such as "8B"
	Class       consent.Class `json:"class"`
	Photo       []byte        `json:"photo,omitempty"` // JPEG, at most MaxPhoto
	Dietary     []string      `json:"dietary,omitempty"`
	PINIndex    []byte        `json:"pin_index,omitempty"`    // keyed blind index of the PIN, 16 to 64 bytes
	PINVerifier string        `json:"pin_verifier,omitempty"` // Argon2id, as a PHC string
	Revision    uint64        `json:"revision"`               // the hub's number of this version; a lower one never replaces a higher
}

// MaxPhoto is the most bytes of a photo.
const MaxPhoto = 64 << 10

// Standing is what the terminal knows about one subject's consent. It holds no name.
type Standing struct {
	Decision consent.Decision `json:"decision"`         // the hub's word
	Reasons  []string         `json:"reasons,omitzero"` // rows, such as "A12"
	Ends     []consent.End    `json:"ends,omitzero"`    // dates on which it narrows by itself
	Refused  bool             `json:"refused,omitzero"` // refused at this terminal, and no later word of the hub's that knows of it (A3); Apply ignores it
}

// Change is what one register entry asks for.
type Change struct {
	Seq      uint64 // number of the entry in the register
	Subject  consent.SubjectID
	Standing Standing
	Person   *Person // nil leaves what is there
	Leaver   bool    // erase the person too; what stays is the standing, so that nobody enrols them again (D7)
}

// TemplateRecord is one template of one finger. A batch replaces all that the store holds for each finger in it.
type TemplateRecord struct {
	Subject  consent.SubjectID
	Finger   uint8     // finger position, ISO/IEC 19794-2: 1 right thumb ... 10 left little finger, 0 unknown
	Data     []byte    // matcher's binary form, 1 to MaxTemplate bytes; the caller clears it
	Enrolled time.Time // when it was captured
	From     string    // terminal that captured it; empty for this one
}

// MaxTemplate is the most bytes of a template, MaxPerFinger the most templates of one finger.
const (
	MaxTemplate  = 4 << 10
	MaxPerFinger = 8
)

// PersonRecord is a person and whose it is.
type PersonRecord struct {
	Subject consent.SubjectID
	Person  Person
}

// Violation is an invariant of the design that does not hold.
type Violation struct {
	Invariant string // "I1", "I5", ...
	Text      string // one sentence without personal data
}

// Receipt is a signed wipe receipt; see package audit.
type Receipt = audit.Receipt

// Errors that callers tell apart. Each comes wrapped with what to do.
var (
	ErrNoStore      = errors.New("there is no store")
	ErrInUse        = errors.New("another process is using this store")
	ErrNewer        = errors.New("this store was written by a newer version")
	ErrOther        = errors.New("this store belongs to another terminal")
	ErrKey          = errors.New("the key table is lost")
	ErrUnnamed      = errors.New("the records do not say whose they are: name the site and the terminal")
	ErrNotPermitted = errors.New("no consent is in force")
	ErrNotFound     = errors.New("not in the store")
)
