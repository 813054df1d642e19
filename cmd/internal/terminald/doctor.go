package terminald

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tillprint/tillprint/cmd/internal/cli"
	"github.com/tillprint/tillprint/cmd/internal/machine"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/custody"
	"github.com/tillprint/tillprint/store/pin"
	"github.com/tillprint/tillprint/sync/register"
	"github.com/tillprint/tillprint/sync/terminal"
	"github.com/tillprint/tillprint/till"
)

// Diagnosis is what a terminal can say about itself. Nothing in it is personal.
type Diagnosis struct {
	Site     string          `json:"site"`
	Terminal string          `json:"terminal"`
	Version  string          `json:"version"` // of the daemon, or of the command where none runs
	Running  bool            `json:"running"` // a daemon answered
	At       time.Time       `json:"at"`      // by the terminal's clock
	Keyslot  KeyslotState    `json:"keyslot"`
	Applied  uint64          `json:"applied"`           // register entries
	Head     uint64          `json:"head,omitempty"`    // known to exist; 0 while not asked
	Contact  time.Time       `json:"contact,omitzero"`  // last one since the daemon's start
	Lease    time.Time       `json:"lease,omitzero"`    // fingers may be matched until then
	Holds    store.Inventory `json:"holds"`             //
	Checked  string          `json:"checked,omitempty"` // how long the invariants took
	Broken   []Broken        `json:"broken"`            // invariants that do not hold
	Findings []Finding       `json:"findings"`
}

// Broken is an invariant of the design that does not hold.
type Broken struct {
	Invariant string `json:"invariant"`
	Text      string `json:"text"`
}

// Finding is one line of a diagnosis.
type Finding struct {
	Part  string `json:"part"`
	Level string `json:"level"` // good, warn or bad
	Words string `json:"words"`
}

// Sound reports whether nothing is bad.
func (d *Diagnosis) Sound() bool {
	return !slices.ContainsFunc(d.Findings, func(f Finding) bool { return f.Level == till.Bad.String() })
}

func (d *Diagnosis) find(part string, level till.Level, format string, args ...any) {
	d.Findings = append(d.Findings, Finding{part, level.String(), fmt.Sprintf(format, args...)})
}

// Doctor examines the terminal of a configuration: through its daemon where one runs, else by opening the store and
// asking the sensor. An error means that not even that could be begun.
func Doctor(ctx context.Context, c Config) (*Diagnosis, error) {
	d := new(Diagnosis)
	err := c.ask(ctx, "GET", "/doctor", nil, d)
	if err == nil {
		return d, nil
	}
	if !errors.Is(err, errNoDaemon) {
		return nil, err
	}
	quiet := slog.New(slog.DiscardHandler)
	st, err := openStore(c, quiet, store.Options{Command: "doctor"})
	if err != nil {
		return nil, err
	}
	defer st.Close()
	d = &Diagnosis{Version: cli.Version()}
	c.examine(d, st)
	d.broken(timed(d, st.Check))
	if keep, err := custody.Open(st, matcher.NewGallery()); err == nil {
		d.Lease = keep.Lease()
		d.lamp(leaseLamp(d.Lease, st.Now()))
	}
	d.find("Hub", till.Warn, "not asked, since no daemon runs on this store: start tillprintd")
	c.examineSensor(ctx, d)
	return d, nil
}

// diagnose is the running daemon's part of Doctor. The sensor is not disturbed: its last word counts.
func (t *Terminal) diagnose(c Config) *Diagnosis {
	d := &Diagnosis{Version: cli.Version(), Running: true}
	c.examine(d, t.Store)
	d.broken(timed(d, t.violations))
	s := t.Hub.State()
	d.Head, d.Contact, d.Lease = s.Head, s.Contact, t.Custody.Lease()
	if !s.Told.IsZero() {
		d.find("Register", till.Good, "the hub last told all that it has at %s", s.Told.Local().Format(time.DateTime))
	}
	d.presses(t.presses)
	for _, l := range t.Till.View().Health {
		d.lamp(l)
	}
	return d
}

// presses is what the running daemon has seen of the sensor.
func (d *Diagnosis) presses(p *presses) {
	if n := p.lineErrors(); n > 0 {
		d.find("Line", till.Warn, "%d answers or images of the sensor came disturbed since the daemon's start: look at its cable if that grows", n)
	} else if p.opened.Load() > 0 {
		d.find("Line", till.Good, "nothing of the sensor's came disturbed since the daemon's start")
	}
	if n := p.opened.Load(); n > 1 {
		d.find("Line", till.Warn, "the sensor was found %d times since the daemon's start: a loose cable, unless it was unplugged or tried", n)
	}
	if n, m := p.medians(); n > 0 {
		d.find("Presses", till.Good, "the last %d took %s on the wire and %s to decide (medians)", n, m.wire.Round(10*time.Millisecond), m.compute.Round(time.Millisecond))
	}
}

func timed(d *Diagnosis, check func() []store.Violation) []store.Violation {
	begin := time.Now()
	found := check()
	d.Checked = time.Since(begin).Round(time.Millisecond).String()
	return found
}

// examine is what the store and its key slot tell.
func (c Config) examine(d *Diagnosis, st *store.Store) {
	id := st.Identity()
	d.Site, d.Terminal, d.At = id.Site, id.Terminal, st.Now()
	d.Applied, _ = st.Applied()
	var err error
	if d.Keyslot, err = ReadKeyslot(c); err != nil {
		d.find("Key slot", till.Bad, "%s: %v", d.Keyslot.Kind, err)
	} else if d.Keyslot.unfinished {
		d.find("Key slot", till.Bad, "%s%s", d.Keyslot.Kind, d.Keyslot.Elsewhere)
	} else {
		d.find("Key slot", till.Good, "%s%s: %s, epoch %d", d.Keyslot.Kind, d.Keyslot.Elsewhere, d.Keyslot.Health, d.Keyslot.Epoch)
	}
	if took := st.SlotTook(); took > store.SlowSlot {
		d.find("Key slot", till.Warn, "took %s over one step of a wipe: look at the module's wiring, and at what else uses its bus; PINs and names do not wait for it", took.Round(100*time.Millisecond))
	}
	if d.Keyslot.Promise != "" {
		d.find("Promise", till.Good, "%s", d.Keyslot.Promise)
	}
	d.find("Key", till.Good, "%s, as on the label and on the hub's page", register.KeyFingerprint(st.VerifierKey()))
	if d.Holds, err = st.Inventory(); err != nil {
		d.find("Records", till.Bad, "they cannot be counted: %v", err)
	}
	d.find("Holds", till.Good, "%d people (%d with a PIN, %d with a photo), %d templates of %d people, %d log records",
		d.Holds.Pupils+d.Holds.Adults, d.Holds.PINs, d.Holds.Photos, d.Holds.Templates, d.Holds.Subjects, d.Holds.Log)
	d.lamp(cardLamp(c.Store.Dir))
	d.find("Register", till.Good, "%d entries applied", d.Applied)
	d.find("Queue", till.Good, "%s", queueWords(d.Holds.Queue))
	if cost, err := terminal.ReadPINCost(st); err != nil {
		d.find("PIN check", till.Warn, "not measured yet: the daemon does so when it next starts")
	} else if cost.Took > 2*pin.Slow {
		d.find("PIN check", till.Warn, "%v: slow for a queue, even at the least cost", cost)
	} else {
		d.find("PIN check", till.Good, "%v", cost)
	}
	d.board(machine.Read(os.DirFS("/sys")))
	if last, err := readSelfTest(st); err != nil {
		d.find("Self-test", till.Warn, "none yet: 'tillprintd selftest'")
	} else {
		for _, check := range last.Checks {
			if check.Level != till.Good.String() {
				d.Findings = append(d.Findings, Finding{"Self-test", till.Warn.String(), check.Part + ": " + check.Words})
			}
		}
		d.find("Self-test", till.Good, "%d parts tried on %s", len(last.Checks), last.At.Local().Format(time.DateOnly))
	}
	if st.Clock().Trusted() {
		d.find("Clock", till.Good, "confirmed by the hub since the start")
	} else {
		d.find("Clock", till.Warn, "not confirmed by the hub since the start: its dates narrow, but wipe only as far as time has passed for certain")
	}
	for _, w := range st.Warnings() {
		d.find("Store", till.Warn, "%s", w)
	}
}

func queueWords(queue map[string]int) string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(queue)) {
		parts = append(parts, fmt.Sprintf("%d %s", queue[kind], kind))
	}
	if len(parts) == 0 {
		return "nothing waits for the hub"
	}
	return "for the hub: " + strings.Join(parts, ", ")
}

func (d *Diagnosis) broken(found []store.Violation) {
	d.Broken = []Broken{}
	for _, v := range found {
		d.Broken = append(d.Broken, Broken{v.Invariant, v.Text})
		d.find("Invariant", till.Bad, "%s does not hold: %s; tell the data protection officer, and let the maker look before anything is deleted", v.Invariant, v.Text)
	}
	if len(found) == 0 {
		d.find("Invariants", till.Good, "all hold")
	}
}

func (d *Diagnosis) lamp(l till.Lamp) { d.find(l.Part, l.Level, "%s", l.Words) }

// examineSensor asks the module, which nobody else uses at this moment.
func (c Config) examineSensor(ctx context.Context, d *Diagnosis) {
	if c.Sensor.Port == "" {
		d.find("Sensor", till.Warn, "none configured")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	m, err := c.openModule(ctx)
	if err != nil {
		d.find("Sensor", till.Bad, "%v", err)
		return
	}
	defer m.Close()
	d.find("Sensor", till.Good, "answers")
}

// Print writes a diagnosis for people.
func (d *Diagnosis) Print(w io.Writer) {
	state := "no daemon runs"
	if d.Running {
		state = "tillprintd " + d.Version + " runs"
	}
	fmt.Fprintf(w, "terminal %s of site %s; %s\n", d.Terminal, d.Site, state)
	for _, f := range d.Findings {
		fmt.Fprintf(w, "%-5s %-10s %s\n", f.Level, f.Part, f.Words)
	}
}
