package terminal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/tillprint/tillprint/matcher"
	"github.com/tillprint/tillprint/store"
	"github.com/tillprint/tillprint/store/custody"
	"github.com/tillprint/tillprint/store/keyslot"
	"github.com/tillprint/tillprint/sync/register"
)

// JoinFrom makes this device a terminal with a hub's answer that came in a file, without a network. All of the file proves
// itself before anything is written. A power cut after the store was made leaves a terminal that fetches the rest at its
// first contact, or with Fill.
func (a *Applicant) JoinFrom(ctx context.Context, file []byte, dir string, slot keyslot.Slot, o store.Options) (*store.Store, error) {
	in, err := a.Request()
	if err != nil {
		return nil, err
	}
	f, err := register.ParseJoinFile(file)
	if err == nil {
		err = f.Check(a.Code, in)
	}
	if err == nil {
		_, _, _, err = f.Entries()
	}
	if err != nil {
		return nil, fmt.Errorf("joining the site %s from a file: %w", a.Code.Site, err)
	}
	st, err := a.begin(&f.Answer, dir, slot, o)
	if err != nil {
		return nil, err
	}
	if err := fill(ctx, st, f); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return st, nil
}

// fill applies what a checked file brings, as if the hub had been asked.
func fill(ctx context.Context, st *store.Store, f *register.JoinFile) error {
	entries, next, signed, err := f.Entries()
	if err != nil {
		return err
	}
	keeper, err := custody.Open(st, matcher.NewGallery())
	if err != nil {
		return err
	}
	c, err := New(Config{Store: st, Custody: keeper, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	if _, err := c.take(ctx, entries, next, signed); err != nil {
		return fmt.Errorf("applying the register that came in a file: %w", err)
	}
	var records []store.PersonRecord
	for _, e := range f.People {
		r, err := c.openPerson(e)
		if err != nil {
			return err
		}
		records = append(records, r)
	}
	if len(records) == 0 {
		return nil
	}
	if err := st.PutPeople(records); err != nil {
		return fmt.Errorf("keeping the people who came in a file: %w", err)
	}
	return nil
}
