package till

import (
	"context"
	"io"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/device/zfm"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/sample"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
)

// Trigger says what makes the sensor look for a finger when nobody is being
// served (A15). The operator can always ask.
type Trigger uint8

// The triggers a site profile can name.
const (
	OnRequest Trigger = iota // only the operator's key
	OnTouch                  // the sensor's touch line
	OnPoll                   // the sensor is asked again and again
)

// Config is what a site decides. The zero value of a field means its default.
type Config struct {
	Biometrics bool           // false: the sensor is never opened (A16)
	Trigger    Trigger        // default OnRequest
	Policy     matcher.Policy // when a best candidate is good enough; default matcher.DefaultPolicy
	PINLength  int            // digits of a PIN, 4 to 10; default 6
	Fingers    []uint8        // fingers to enrol, in order, ISO/IEC 19794-2 positions 1 to 10; default 2 and 7, the index fingers
	Quality    uint8          // least quality of an enrolled press, 0 to 100; default 25
	Operator   string         // who works the till, for the audit log and receipts; default "operator"
}

// Scanner reads fingers; *zfm.Module is one.
type Scanner interface {
	Info() zfm.Info
	Echo(ctx context.Context) error // a sign of life, without an image
	Present(ctx context.Context) (bool, error)
	Scan(ctx context.Context, rows func(y int, row []byte)) (*sample.Sample, zfm.Timing, error)
	Close() error
}

// Custody keeps gallery, store and consent in step; *custody.Custody is one.
type Custody interface {
	Permitted(subject consent.SubjectID, now time.Time) (bool, []string)
	Fingers() (on bool, why string)
	Refuse(ctx context.Context, subject consent.SubjectID, by string) (audit.Receipt, error)
	Enrol(ctx context.Context, records []store.TemplateRecord) error
}

// People are those whom the terminal serves; *store.Store holds them.
type People interface {
	Person(subject consent.SubjectID) (store.Person, error)
	People(each func(subject consent.SubjectID, p store.Person) bool) error
	FindPIN(index []byte) (subject consent.SubjectID, verifier string, ok bool)
	Applied() (seq uint64, checkpoint []byte)
}

// Outlet tells a point of sale who is being served. Its methods are called by
// the till's own goroutine and must not wait.
type Outlet interface {
	Identified(Identity)
	Cleared()
}

// Identity is a confirmed proposal, with nothing about the route (I1).
type Identity struct {
	ID      string            // the proposal's
	Subject consent.SubjectID // "" for an outside account
	Outside string            // reference of an outside account (C3), else ""
	At      time.Time
}

// Touch waits for the sensor's touch line; *panel.Touch is one.
type Touch interface {
	Wait(ctx context.Context) error
}

// Parts are what a till is made of. Those marked optional may be nil.
type Parts struct {
	OpenScanner func(ctx context.Context) (Scanner, error) // optional: a terminal without a sensor
	Gallery     *matcher.Gallery
	Custody     Custody
	People      People
	Pepper      []byte                                                          // the site's PIN pepper; empty: no PIN is known
	Touch       Touch                                                           // optional
	Outlets     []Outlet                                                        // optional
	Signal      func(Display)                                                   // optional: lights and sound; must not wait
	Lamps       func() []Lamp                                                   // optional: hub and lease, for the health bar
	Audit       func(...audit.Event) error                                      // appends to the audit log; (*store.Store).Append
	Events      func(first int64, each func(n int64, e audit.Event) bool) error // optional: reads the audit log, so that a restart forgets nobody served today
	OnScan      func(Result)                                                    // optional: figures of each press; must not wait
	Now         func() time.Time                                                // the terminal's clock; default time.Now
	Rand        io.Reader                                                       // for proposal ids; default crypto/rand
}
