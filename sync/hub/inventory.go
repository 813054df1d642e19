package hub

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tillprint/tillprint/sync/register"
)

// Evidence is what the hub can say about a terminal that is gone: what was on it, how it was sealed, and what has been ordered since
// (J3, J4). It rests on what the terminal itself reported while it was there.
type Evidence struct {
	Terminal string          `json:"terminal"`
	AsOf     time.Time       `json:"as_of"`             // the moment that was asked about
	Reported time.Time       `json:"reported,omitzero"` // when the terminal last said something else before that; zero if it never had
	Held     register.Status `json:"held"`              // what it said then
	Counted  time.Time       `json:"counted,omitzero"`  // when the log and what waits for the hub were last counted before the moment
	Joined   time.Time       `json:"joined"`
	Contact  time.Time       `json:"contact"` // the last one of all
	Lease    time.Time       `json:"lease"`   // by then, at the latest, it matches no finger (I7)
	Removed  bool            `json:"removed"`
	Orders   []Order         `json:"orders"`             // to commission, block, unblock or wipe it, all of them
	Mail     int             `json:"mail"`               // templates that wait for it now, sealed to it
	Disposed *Disposal       `json:"disposed,omitempty"` // it was decommissioned: nothing is on it any more
}

// Order is a command that the hub has given a terminal.
type Order struct {
	At      time.Time       `json:"at"`
	Do      register.Action `json:"do"`
	Applied bool            `json:"applied"` // the terminal says so
}

// keepInventory adds a row when a terminal holds something else than it said before, or holds it otherwise.
func keepInventory(ctx context.Context, tx *sql.Tx, c caller, s register.Status, now time.Time) error {
	_, before, err := inventoryAt(ctx, tx, c.site, c.terminal, now)
	if err != nil {
		return err
	}
	if err := keepCounts(ctx, tx, c, s, now); err != nil {
		return err
	}
	if before != nil && holding(*before) == holding(s) {
		return nil
	}
	s.Errors = nil
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO inventories (site, terminal, received, status) VALUES ($1, $2, $3, $4)
		ON CONFLICT (site, terminal, received) DO UPDATE SET status = excluded.status`, c.site, c.terminal, at(now), string(text))
	return err
}

// holding is what of a status tells two inventories apart: neither the time nor how long log and queue are, which keepCounts keeps.
func holding(s register.Status) string {
	return fmt.Sprint(s.Pupils, s.Adults, s.Photos, s.PINs, s.Subjects, s.Templates, s.Cipher, s.Epoch, s.Promise, s.Fingers, s.Standings, s.Opened.Unix())
}

// inventoryAt is what a terminal had said last at a moment; nil if it had said nothing.
func inventoryAt(ctx context.Context, q asker, site, terminal string, when time.Time) (time.Time, *register.Status, error) {
	var us int64
	var text string
	err := q.QueryRowContext(ctx, `SELECT received, status FROM inventories WHERE site = $1 AND terminal = $2 AND received <= $3
		ORDER BY received DESC LIMIT 1`, site, terminal, at(when)).Scan(&us, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil, nil
	}
	if err != nil {
		return time.Time{}, nil, fmt.Errorf("reading what terminal %s held: %w", terminal, plain(err))
	}
	s := new(register.Status)
	if err := json.Unmarshal([]byte(text), s); err != nil {
		return time.Time{}, nil, fmt.Errorf("reading what terminal %s held: %w", terminal, err)
	}
	return instant(us), s, nil
}

// Evidence answers for one terminal, as of a moment; the zero time means now.
func (h *Hub) Evidence(ctx context.Context, site, terminal string, when time.Time) (*Evidence, error) {
	if when.IsZero() {
		when = h.config.Now()
	}
	all, err := h.Terminals(ctx, site)
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		if t.Terminal != terminal {
			continue
		}
		e := &Evidence{Terminal: terminal, AsOf: when.UTC(), Joined: t.Joined, Contact: t.Contact, Lease: t.Contact.Add(h.config.Lease), Removed: t.Removed, Mail: t.Mail}
		reported, held, err := inventoryAt(ctx, h.db, site, terminal, when)
		if err != nil {
			return nil, err
		}
		if held != nil {
			e.Reported, e.Held = reported, *held
			if e.Counted, err = countsAt(ctx, h.db, site, terminal, when, &e.Held); err != nil {
				return nil, err
			}
		}
		if e.Disposed, err = h.disposalOf(ctx, site, terminal); err != nil {
			return nil, err
		}
		e.Orders, err = h.orders(ctx, site, t)
		return e, err
	}
	return nil, fmt.Errorf("%w: there is no terminal %.40q", ErrNotFound, terminal)
}

// orders lists what a terminal was told, and whether it says that it has come so far in the register.
func (h *Hub) orders(ctx context.Context, site string, t TerminalState) ([]Order, error) {
	out := []Order{}
	err := each(ctx, h.db, func(r *sql.Rows) error {
		var us int64
		var body []byte
		if err := r.Scan(&us, &body); err != nil {
			return err
		}
		e, err := register.ParseEntry(body)
		if err != nil {
			return err
		}
		if e.Command != nil && e.Command.Do != register.Export && e.Command.Do != register.Configure {
			out = append(out, Order{At: instant(us), Do: e.Command.Do, Applied: e.Seq <= t.Reported})
		}
		return nil
	}, `SELECT recorded, body FROM entries WHERE site = $1 AND subject = '' AND terminal IN ('', $2) ORDER BY seq`, site, t.Terminal)
	if err != nil {
		return nil, fmt.Errorf("listing orders: %w", err)
	}
	return out, nil
}

// Encrypted says in one word whether what was held can be read by whoever has the device.
func (e *Evidence) Encrypted() string {
	if e.Held.Cipher == "" {
		return "not reported"
	}
	return "all of it, with " + e.Held.Cipher
}

// Kinds are the categories of records and how many of each there were, as a report of a breach wants them.
func (e *Evidence) Kinds() []Kind {
	s := e.Held
	return []Kind{
		{"pupils", s.Pupils}, {"adults", s.Adults}, {"photos", s.Photos}, {"PIN verifiers", s.PINs},
		{"people with a fingerprint template", s.Subjects}, {"fingerprint templates", s.Templates}, {"log records, by pseudonym", int(s.Log)},
		{"standings of consent, by pseudonym", s.Standings}, {"messages that waited for the hub", s.Pending},
	}
}

// Kind is a category of records.
type Kind struct {
	Name  string
	Count int
}

// Print writes the evidence for people.
func (e *Evidence) Print(w io.Writer) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%-36s %s\n", name, fmt.Sprintf(format, args...))
	}
	stamp := func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
	line("terminal", "%s", e.Terminal)
	line("as of", "%s", stamp(e.AsOf))
	if d := e.Disposed; d != nil {
		line("decommissioned", "%s; its certificate is here since %s", stamp(d.At), stamp(d.Received))
	}
	if e.Reported.IsZero() {
		line("held", "it had reported nothing by then")
		return
	}
	line("as reported since", "%s", stamp(e.Reported))
	for _, k := range e.Kinds() {
		line(k.Name, "%d", k.Count)
	}
	line("encrypted", "%s", e.Encrypted())
	line("log and messages counted", "%s", stamp(e.Counted))
	line("lock state", "%s", e.Lock())
	line("root key", "epoch %d. %s", e.Held.Epoch, e.Held.Promise)
	line("last contact", "%s", stamp(e.Contact))
	line("fingers stop at the latest", "%s", stamp(e.Lease))
	line("templates on their way to it", "%d, sealed to it", e.Mail)
	for _, o := range e.Orders {
		done := "not confirmed"
		if o.Applied {
			done = "it says that it has obeyed"
		}
		line("ordered: "+string(o.Do), "%s; %s", stamp(o.At), done)
	}
}
