package hub

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/store/export"
	"github.com/tillprint/tillprint/sync/register"
)

// record is the hub's part of an export: what is on record about the subject, and what was done. The names of adults and of the
// office stay out, and so does why an adult could not be asked (s.27), which is about the adult.
func (h *Hub) record(ctx context.Context, site string, o export.Order) (*export.Record, error) {
	d, err := h.Subject(ctx, site, o.Subject)
	if err != nil {
		return nil, err
	}
	s, err := h.Site(ctx, site)
	if err != nil {
		return nil, err
	}
	who, err := loadSubject(ctx, h.db, site, o.Subject)
	if err != nil {
		return nil, err
	}
	is := export.Site{ID: site, Name: s.Name, Contact: s.Contact}
	r := &export.Record{Format: export.Format, Made: h.config.Now().UTC(), Holder: register.Hub, Site: is, Order: o, Subject: o.Subject,
		Processing: export.Answers(is), Statements: []export.Statement{}, Templates: []export.Template{}, LeftOut: []string{
			"The names of parents and staff, who are other people: parents appear by their capacity and a number in your record.",
			"Templates on their way between terminals: the hub cannot open them; each terminal's part has its own.",
			"The verifier and the index of the PIN: they would help only whoever wants to misuse them.",
		}}
	r.Person = &export.Person{Name: d.Name, Form: d.Form, Class: d.Class, Dietary: d.Dietary, Photo: who.person.photo, PIN: d.PIN,
		Eighteenth: d.Eighteenth, LeavesOn: d.LeavesOn, LastUsed: d.LastUsed, Roster: d.Roster.String(), Restricted: d.Restricted, Hold: d.Hold}
	r.Standing = &export.Standing{Decision: d.Standing.Decision, Reasons: d.Reasons, Ends: d.Standing.Ends}
	for _, st := range d.Statements {
		if st.Kind == consent.Exempt {
			continue
		}
		r.Statements = append(r.Statements, export.Statement{At: st.At, By: st.By, Capacity: st.Capacity, Kind: st.Kind, Form: st.Form,
			Notice: st.Notice, Evidence: st.Evidence, ReviewBy: st.ReviewBy})
	}
	if len(r.Statements) < len(d.Statements) {
		r.LeftOut = append(r.LeftOut, "Why an adult could not be asked, which is about that adult.")
	}
	r.History, err = h.History(ctx, site, o.Subject)
	return r, err
}

// History is what was done about one subject, as far as the hub knows, oldest first (F6): entries of the register,
// what terminals reported, what the office did. When and where a subject was served stands only in each terminal's own log,
// and comes with an export: the hub has no need to know who eats when (F1).
func (h *Hub) History(ctx context.Context, site string, id consent.SubjectID) ([]export.Event, error) {
	out := []export.Event{}
	add := func(query, prefix string) error {
		return each(ctx, h.db, func(r *sql.Rows) error {
			var e export.Event
			var us int64
			err := r.Scan(&us, &e.What)
			e.At, e.What = instant(us), prefix+e.What
			out = append(out, e)
			return err
		}, query, site, string(id))
	}
	for prefix, query := range map[string]string{
		"office: ": `SELECT at, deed FROM deeds WHERE site = $1 AND about = $2`,
		"report: ": `SELECT received, kind || ' from ' || terminal FROM reports WHERE site = $1 AND subject = $2`,
	} {
		if err := add(query, prefix); err != nil {
			return nil, fmt.Errorf("reading a subject's history: %w", err)
		}
	}
	err := each(ctx, h.db, func(r *sql.Rows) error {
		var us, seq int64
		var body []byte
		if err := r.Scan(&us, &seq, &body); err != nil {
			return err
		}
		e, err := register.ParseEntry(body)
		if err != nil {
			return err
		}
		what := export.Event{At: instant(us), What: fmt.Sprintf("register: entry %d, %s", seq, e.Subject.Decision)}
		if len(e.Subject.Reasons) > 0 {
			what.Row = e.Subject.Reasons[0]
		}
		out = append(out, what)
		return nil
	}, `SELECT recorded, seq, body FROM entries WHERE site = $1 AND subject = $2 ORDER BY seq`, site, string(id))
	if err != nil {
		return nil, fmt.Errorf("reading a subject's history: %w", err)
	}
	slices.SortStableFunc(out, func(a, b export.Event) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.What, b.What)) })
	return out, nil
}
