package hub

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tillprint/tillprint/consent"
	"github.com/tillprint/tillprint/sync/register"
)

// Site is one school of this hub.
type Site struct {
	ID      string          `json:"site"` // as register.ValidName
	Name    string          `json:"name"`
	Contact string          `json:"contact,omitempty"` // whom to ask about data protection
	Zone    string          `json:"zone"`              // IANA name; "Europe/London" when empty
	Profile consent.Profile `json:"profile"`
}

// AddSite begins a site; its profile is the first entry of its register.
func (h *Hub) AddSite(ctx context.Context, s Site) error {
	if s.Zone == "" {
		s.Zone = "Europe/London"
	}
	if err := s.check(); err != nil {
		return err
	}
	profile, err := json.Marshal(s.Profile)
	if err != nil {
		return fmt.Errorf("adding site %s: %w", s.ID, err)
	}
	err = h.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO sites (site, name, contact, zone, profile, created) VALUES ($1, $2, $3, $4, $5, $6)`,
			s.ID, s.Name, s.Contact, s.Zone, string(profile), at(h.config.Now()))
		if err != nil {
			return err
		}
		return h.enterProfile(ctx, tx, s, consent.Date{})
	})
	if unique(err) {
		return fmt.Errorf("%w: there is a site %s already", ErrInvalid, s.ID)
	}
	if err != nil {
		return fmt.Errorf("adding site %s: %w", s.ID, err)
	}
	return nil
}

func (s Site) check() error {
	if !register.ValidName(s.ID) || s.Name == "" || len(s.Name) > consent.MaxField || len(s.Contact) > consent.MaxField {
		return fmt.Errorf("%w: a site needs an id of 1 to 32 characters a-z, 0-9 and -, and a name and contact of at most %d bytes", ErrInvalid, consent.MaxField)
	}
	if _, err := time.LoadLocation(s.Zone); err != nil {
		return fmt.Errorf("%w: %q is no time zone; write it as Europe/London", ErrInvalid, s.Zone)
	}
	if err := s.Profile.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

// Sites lists the hub's sites by id.
func (h *Hub) Sites(ctx context.Context) ([]Site, error) {
	var sites []Site
	err := each(ctx, h.db, func(r *sql.Rows) error {
		s, err := scanSite(r.Scan)
		sites = append(sites, s)
		return err
	}, `SELECT site, name, contact, zone, profile FROM sites ORDER BY site`)
	return sites, err
}

// Site returns one site, or an error that is ErrNotFound.
func (h *Hub) Site(ctx context.Context, id string) (Site, error) {
	return loadSite(ctx, h.db, id)
}

func loadSite(ctx context.Context, q asker, id string) (Site, error) {
	s, err := scanSite(q.QueryRowContext(ctx, `SELECT site, name, contact, zone, profile FROM sites WHERE site = $1`, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return s, fmt.Errorf("%w: there is no site %.40q", ErrNotFound, id)
	}
	return s, err
}

func scanSite(scan func(...any) error) (s Site, err error) {
	var profile string
	if err := scan(&s.ID, &s.Name, &s.Contact, &s.Zone, &profile); err != nil {
		return s, plain(err)
	}
	if err := json.Unmarshal([]byte(profile), &s.Profile); err != nil {
		return s, fmt.Errorf("the profile of site %s cannot be read: %w", s.ID, err)
	}
	return s, nil
}

// Deed is one line of the office's log.
type Deed struct {
	Number  int64     `json:"number"`
	At      time.Time `json:"at"`
	Officer string    `json:"officer"`
	Deed    string    `json:"deed"`
	About   string    `json:"about"` // a pseudonym or a terminal's id, never a name
}

// note adds a line to the office's log within the change that it is about, so that
// nothing happens without its line and no line tells of what did not happen.
func (h *Hub) note(ctx context.Context, tx *sql.Tx, site, officer, deed, about string) error {
	var number int64
	err := tx.QueryRowContext(ctx, `UPDATE sites SET deeds = deeds + 1 WHERE site = $1 RETURNING deeds`, site).Scan(&number)
	if err == nil {
		_, err = tx.ExecContext(ctx, `INSERT INTO deeds (site, number, at, officer, deed, about) VALUES ($1, $2, $3, $4, $5, $6)`,
			site, number, at(h.config.Now()), officer, deed, about)
	}
	if err != nil {
		return fmt.Errorf("writing the office's log: %w", err)
	}
	return nil
}

// Deeds returns the last most lines of the office's log, newest first.
func (h *Hub) Deeds(ctx context.Context, site string, most int) ([]Deed, error) {
	var deeds []Deed
	err := each(ctx, h.db, func(r *sql.Rows) error {
		var d Deed
		var us int64
		err := r.Scan(&d.Number, &us, &d.Officer, &d.Deed, &d.About)
		d.At = instant(us)
		deeds = append(deeds, d)
		return err
	}, `SELECT number, at, officer, deed, about FROM deeds WHERE site = $1 ORDER BY number DESC LIMIT $2`, site, most)
	return deeds, err
}
