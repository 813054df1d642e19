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
	Biometrics() bool // the site's mode as the hub last said it (A16); may change at any time
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

// Settings outlive a restart; *store.Store holds them.
type Settings interface {
	Setting(name string) ([]byte, error) // the error wraps store.ErrNotFound when there is none
	SetSetting(name string, value []byte) error
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
	Pepper      []byte                                             // the site's PIN pepper; empty: no PIN is known
	Touch       Touch                                              // optional
	CashOnly    func() string                                      // optional: why only cash may be taken now, in a sentence; "" when more may (N1)
	Outlets     []Outlet                                           // optional
	Signal      func(Display)                                      // optional: lights and sound; must not wait
	Lamps       func() []Lamp                                      // optional: hub and lease, for the health bar
	PINDigits   func() int                                         // optional: length of PINs as the hub last said it, 0 for the configured one; 4 opens nothing without a claimed name
	Settings    Settings                                           // optional: what a restart must not forget
	Audit       func(...audit.Event) error                         // appends to the audit log; (*store.Store).Append
	Recent      func(each func(n int64, e audit.Event) bool) error // optional: reads the audit log from its end, so that a restart forgets nobody served today
	Alert       func(sentence string) error                        // optional: tells the office of what somebody should look into
	OnScan      func(Result)                                       // optional: figures of each press; must not wait
	Now         func() time.Time                                   // the terminal's clock; default time.Now
	Rand        io.Reader                                          // for proposal ids; default crypto/rand
}
