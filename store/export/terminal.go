package export

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/locked"
	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/matcher/iso19794"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/audit"
)

// FromStore is a terminal's part: the person record, the standing, the templates, and what the log tells of this subject.
// The caller clears the files, which are the templates.
func FromStore(st *store.Store, site Site, o Order) (*Record, []File, error) {
	r := &Record{Format: Format, Made: st.Now().UTC(), Holder: st.Identity().Terminal, Site: site, Order: o, Subject: o.Subject,
		Processing: Answers(site), Statements: []Statement{}, Templates: []Template{}, History: []Event{},
		LeftOut: []string{
			"The verifier and the index of the PIN, and the keys of the templates: they would help only whoever wants to misuse them.",
			"The accounts of the staff who worked the till, who are other people.",
		}}
	if err := r.person(st); err != nil {
		return nil, nil, err
	}
	if s, ok := st.Standing(o.Subject); ok {
		r.Standing = standingOf(s, st.Now())
	}
	err := st.Events(0, func(_ int64, e audit.Event) bool {
		if e.Subject == o.Subject {
			r.History = append(r.History, Event{At: e.At, What: what(e), Route: e.Route, Band: string(e.Band), Limit: e.Limit, Row: e.Row, Count: e.Count})
		}
		return true
	})
	pruned, err2 := st.LogPruned()
	if err := errors.Join(err, err2); err != nil {
		return nil, nil, fmt.Errorf("reading a subject's history: %w", err)
	}
	if pruned > 0 {
		r.LeftOut = append(r.LeftOut, "What happened longer ago than this terminal keeps its log: those records have been dropped.")
	}
	files, err := r.templates(st)
	return r, files, err
}

func (r *Record) person(st *store.Store) error {
	p, err := st.Person(r.Subject)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	r.Person = &Person{Name: p.Name, Form: p.Form, Class: p.Class, Dietary: p.Dietary, Photo: p.Photo, PIN: p.PINVerifier != ""}
	return nil
}

func standingOf(s store.Standing, now time.Time) *Standing {
	d, rows := s.At(now)
	out := &Standing{Decision: d, Reasons: []consent.Reason{}, Ends: s.Ends, Refused: s.Refused}
	for _, row := range rows {
		out.Reasons = append(out.Reasons, consent.Reason{Row: row, Text: "Decided under requirement " + row + "; the hub's part has the sentence."})
	}
	return out
}

func what(e audit.Event) string {
	if e.Action != "" {
		return string(e.Kind) + " " + e.Action
	}
	return string(e.Kind)
}

// templates reads all that are kept, also those that may not be matched now: restriction keeps nothing from its subject.
func (r *Record) templates(st *store.Store) (files []File, err error) {
	number := map[uint8]uint8{} // views of each finger so far
	err = st.KeptTemplates(r.Subject, func(k store.TemplateRecord) error {
		f, t, err := isoFile(k, number[k.Finger])
		if err != nil {
			return err
		}
		number[k.Finger]++
		files, r.Templates = append(files, f), append(r.Templates, t)
		return nil
	})
	if err != nil {
		clearAll(files)
		return nil, fmt.Errorf("reading a subject's templates: %w", err)
	}
	return files, nil
}

func isoFile(k store.TemplateRecord, view uint8) (File, Template, error) {
	var m matcher.Template
	if err := m.UnmarshalBinary(k.Data); err != nil {
		return File{}, Template{}, err
	}
	defer m.Clear()
	b, err := iso19794.AppendViews(locked.Make[byte](mostISO)[:0], []iso19794.View{{Meta: iso19794.Meta{Finger: k.Finger, Number: view}, Template: &m}})
	if err != nil {
		return File{}, Template{}, err
	}
	f := File{Name: fmt.Sprintf("finger-%d-view-%d.iso", k.Finger, view+1), Data: b}
	return f, Template{File: f.Name, Finger: k.Finger, Minutiae: len(m.Minutiae), Quality: m.Quality, Captured: k.Enrolled, Terminal: k.From}, nil
}

// mostISO is room for one view, in bytes: 255 minutiae of 6 and a grid of the ridge flow.
const mostISO = 16 << 10

func clearAll(files []File) {
	for _, f := range files {
		locked.Free(f.Data)
	}
}

// Seal writes the export of a store's part for an order, sealed to the order's recipient.
func Seal(st *store.Store, site Site, o Order) ([]byte, error) {
	if err := o.Check(); err != nil {
		return nil, fmt.Errorf("exporting: %w", err)
	}
	r, templates, err := FromStore(st, site, o)
	if err != nil {
		return nil, err
	}
	defer clearAll(templates)
	var out bytes.Buffer
	if err := r.Seal(&out, templates...); err != nil {
		return nil, err
	}
	err = st.Append(audit.Event{Kind: audit.Command, Subject: o.Subject, Row: "G1", Action: audit.Word("export/" + o.ID), Count: len(templates)})
	return out.Bytes(), err
}
